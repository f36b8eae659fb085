"""validate: read a shard back and compare it with its receipt, the plan and the feature contract."""

from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.plan import Shard
from imagerecords.schemas.receipt import VerifiedShard
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.dataset.plan_file import read_header_of
from imagerecords.tasks.dataset.receipts import read_receipt
from imagerecords.tasks.dataset.shard_check import verify_shard
from imagerecords.tasks.storage.folders import open_output


def validate_shard(shard: Shard, settings: BuildSettings) -> VerifiedShard:
    """Verify a shard in the output; raises CorruptRecord naming file, record and byte offset of the first problem."""
    output = open_output(settings)
    receipt = read_receipt(output, shard.name)
    if receipt is None:
        raise CorruptRecord(f"a shard has no receipt: {output.join(shard.name)}. Run the build again")
    return verify_shard(output, shard, receipt, read_header_of(output, shard))
