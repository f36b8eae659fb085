"""Names from two sources compared in Unicode's composed form (NFC): macOS decomposes file names, keyboards compose them."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping


def composed(name: str) -> str:
    """A name in the form in which names are compared."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def one_form(names: Iterable[str], known: Iterable[str] = ()) -> dict[str, str]:
    """One spelling for each name: the first of `known` that differs in form only, else the name itself.

    Where several names differ in form only, the composed one replaces all of them.
    """
    of_known: dict[str, str] = {}
    for name in known:
        of_known.setdefault(composed(name), name)
    forms: defaultdict[str, set[str]] = defaultdict(set)
    names = list(names)
    for name in names:
        forms[composed(name)].add(name)
    return {name: of_known.get(key := composed(name)) or (key if len(forms[key]) > 1 else name) for name in names}


def form_notes(what: str, forms: Mapping[str, str]) -> Iterable[str]:
    """The note on names that one_form replaced."""
    changed = sorted({name for key, name in forms.items() if key != name})
    if changed:
        shown = ", ".join(map(repr, changed[:3]))
        yield f"{what} {shown}: written in two Unicode forms (composed and decomposed), taken for the same"
