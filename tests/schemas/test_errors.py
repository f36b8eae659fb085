"""The tree of errors: exit codes, the built-in a caller expects, and the way through a process pool."""

import pickle

import pytest

from imagerecords.schemas import errors
from imagerecords.schemas.errors import ImageRecordsError

ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ImageRecordsError)]
EXIT_CODES = {"BadInput": 2, "BadSettings": 2, "BadLayout": 2, "BadStorage": 2, "OutputConflict": 2, "Interrupted": 130}


@pytest.mark.parametrize("kind", ERRORS)
def test_each_error_comes_out_of_a_worker_as_it_went_in(kind):
    error = pickle.loads(pickle.dumps(kind("shards must fit, got: x")))
    assert type(error) is kind
    assert str(error) == "shards must fit, got: x"


@pytest.mark.parametrize("kind", ERRORS)
def test_each_error_has_its_exit_code(kind):
    assert kind("text").exit_code == EXIT_CODES.get(kind.__name__, 1)


@pytest.mark.parametrize(
    ("kind", "built_in"),
    [
        (errors.BadSettings, ValueError),
        (errors.BadLayout, ValueError),
        (errors.OutputConflict, FileExistsError),
        (errors.OutputLocked, BlockingIOError),
        (errors.CorruptRecord, ValueError),
        (errors.ShardFailed, RuntimeError),
        (errors.WorkerDied, RuntimeError),
        (errors.AccountingError, ArithmeticError),
        (errors.OverBudget, ValueError),
        (errors.UnwantedDuplicates, ValueError),
    ],
)
def test_each_error_is_the_built_in_that_a_caller_expects(kind, built_in):
    assert issubclass(kind, built_in)
