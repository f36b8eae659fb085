"""The names of the splits, in their order."""

from typing import Literal, get_args

Named = Literal["train", "validation", "test"]
# Ten at most, so that a listing of files has them in their order.
Fold = Literal["fold_0", "fold_1", "fold_2", "fold_3", "fold_4", "fold_5", "fold_6", "fold_7", "fold_8", "fold_9"]
Split = Named | Fold

SPLITS: tuple[Named, ...] = get_args(Named)
FOLDS: tuple[Fold, ...] = get_args(Fold)
EVERY_SPLIT: tuple[Split, ...] = (*SPLITS, *FOLDS)
