"""Files read back with TensorFlow, whatever features they have: its record reader, its parser, and its image decoder."""

from typing import Any

from imagerecords.schemas.audit import AuditProblem
from imagerecords.schemas.messages import plural
from imagerecords.tasks.audit.file import FileAudit
from imagerecords.tasks.images.formats import image_format
from imagerecords.tasks.records.image import ENCODED
from imagerecords.tasks.records.tensorflow import import_tensorflow, local_copy
from imagerecords.tasks.storage.folders import Folder


def tensorflow_problems(folder: Folder, audit: FileAudit) -> list[AuditProblem]:
    """The first problem that TensorFlow has with a file, in whose frames and Examples none was found."""
    tf = import_tensorflow()
    kinds = {key: kind for shape in audit.shapes for key, kind in sorted(shape) if kind}
    dtypes = {"bytes": tf.string, "int": tf.int64, "float": tf.float32}
    spec = {key: tf.io.VarLenFeature(dtypes[kind]) for key, kind in kinds.items()}
    count = 0
    with local_copy(folder, audit.name) as path:
        try:
            for serialized in tf.data.TFRecordDataset(path, audit.compression or None):
                if spec:
                    _decode(tf, tf.io.parse_single_example(serialized, spec))
                count += 1
        except tf.errors.OpError as error:
            problem = f"TensorFlow stops at record {count}: {' '.join(error.message.split())}"
            return [AuditProblem(audit.name, None, None, problem)]
    if count != len(audit.places):
        return [AuditProblem(audit.name, None, None, f"TensorFlow reads {plural(count, 'record')} of {len(audit.places):,}")]
    return []


def _decode(tf: Any, example: dict[str, Any]) -> None:
    """Decode the image, where its format is one that TensorFlow knows."""
    for encoded in example[ENCODED].values.numpy() if ENCODED in example else ():
        if image_format(encoded) in ("JPEG", "PNG", "GIF", "BMP"):
            tf.io.decode_image(encoded, expand_animations=False)
