"""Makes exports/fiftyone_*: run by hand in an environment with fiftyone (1.22.1), `python make_fiftyone.py exports`.

The exporters are called one by one, since a fiftyone.Dataset needs MongoDB.
"""

import shutil
import sys
from pathlib import Path

import fiftyone as fo
import fiftyone.utils.bdd as foub
import fiftyone.utils.coco as fouc
import fiftyone.utils.cvat as foucv
import fiftyone.utils.data.exporters as foe
import fiftyone.utils.kitti as fouk
import fiftyone.utils.voc as fouv
import fiftyone.utils.yolo as fouy
import scenes

CLASSES = list(scenes.CLASSES)
FORMS = {
    "classification_tree": (foe.ImageClassificationDirectoryTreeExporter, "label", {}),
    "classification": (foe.FiftyOneImageClassificationDatasetExporter, "label", {}),
    "classification_ids": (
        foe.FiftyOneImageClassificationDatasetExporter,
        "label",
        {"classes": CLASSES, "include_confidence": True},
    ),
    "classification_paths": (foe.FiftyOneImageClassificationDatasetExporter, "label", {"abs_paths": True}),
    "detection": (foe.FiftyOneImageDetectionDatasetExporter, "boxes", {}),
    "detection_ids": (foe.FiftyOneImageDetectionDatasetExporter, "boxes", {"classes": CLASSES, "include_confidence": True}),
    "coco": (fouc.COCODetectionDatasetExporter, "boxes", {}),
    "voc": (fouv.VOCDetectionDatasetExporter, "boxes", {}),
    "yolov4": (fouy.YOLOv4DatasetExporter, "boxes", {}),
    "yolov5": (fouy.YOLOv5DatasetExporter, "boxes", {"classes": CLASSES}),
    "cvat": (foucv.CVATImageDatasetExporter, "boxes", {}),
    "kitti": (fouk.KITTIDetectionDatasetExporter, "boxes", {}),
    "bdd": (foub.BDDDatasetExporter, "boxes", {}),
}


def label_of(scene, kind):
    if scene.label is None:
        return None
    if kind == "label":
        return fo.Classification(label=scene.label)
    x0, y0, x1, y1 = scene.box
    box = [x0 / scenes.WIDTH, y0 / scenes.HEIGHT, (x1 - x0) / scenes.WIDTH, (y1 - y0) / scenes.HEIGHT]
    return fo.Detections(detections=[fo.Detection(label=scene.label, bounding_box=box)])


def export(exporter, kind, pictures, chosen):
    with exporter:
        for scene in chosen:
            path = str(pictures / scene.name)
            metadata = fo.ImageMetadata.build_for(path)
            exporter.export_sample(path, label_of(scene, kind), metadata=metadata)


def export_samples(target, pictures):
    """Whole samples, with a field of a model's predictions."""
    shutil.rmtree(target / "fiftyone_samples", ignore_errors=True)
    with foe.LegacyFiftyOneDatasetExporter(export_dir=str(target / "fiftyone_samples")) as exporter:
        for scene in scenes.SCENES:
            path = str(pictures / scene.name)
            sample = fo.Sample(filepath=path, tags=[scene.split], metadata=fo.ImageMetadata.build_for(path))
            if scene.box:
                sample["ground_truth"] = label_of(scene, "boxes")
            sample["predictions"] = fo.Classification(label="horse", confidence=0.4)
            exporter.export_sample(sample)


def main(target):
    pictures = scenes.write(target / "pictures")
    export_samples(target, pictures)
    for name, (make, kind, options) in FORMS.items():
        output = target / f"fiftyone_{name}"
        shutil.rmtree(output, ignore_errors=True)
        splits = ("train", "val") if name == "yolov5" else (None,)
        for split in splits:
            more = {"split": split} if split else {}
            chosen = [scene for scene in scenes.SCENES if split in (None, scene.split)]
            try:
                export(make(export_dir=str(output), **options, **more), kind, pictures, chosen)
            except Exception as error:
                print(name, type(error).__name__, error)
    shutil.rmtree(pictures)
    for path in target.glob("fiftyone_*/**/*"):  # paths of a machine, as others' exports have them
        if path.suffix in (".json", ".yaml", ".xml"):
            path.write_text(path.read_text().replace(str(target), "/home/anna/exports"))


main(Path(sys.argv[1]).absolute())
