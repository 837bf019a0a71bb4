"""Strict JSON: a stranger's JSON as the dataclasses that it stands for, refused at the first value out of place."""

import json
import reprlib
import sys
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache
from types import UnionType
from typing import Literal, TypeVar, get_args, get_origin, get_type_hints

from llm_demo.errors import InputError, SettingsError

LARGEST = sys.float_info.max  # so that every number is finite, and every whole one has a float

Kind = TypeVar("Kind")
Range = tuple[float, float]


def parse(text: str | bytes, max_mb: int) -> object:
    """Return what a JSON text says; bytes are UTF-8, with or without its mark.

    Raises:
        InputError: it is none, or of more than `max_mb` times 2^20 bytes.
    """
    size = len(text) if isinstance(text, bytes) else len(text.encode(errors="surrogatepass"))
    if size > max_mb * 2**20:
        raise InputError("trace_file_size", limit=max_mb)
    try:
        return json.loads(text.decode("utf-8-sig") if isinstance(text, bytes) else text)
    except (ValueError, RecursionError) as error:  # also a number of thousands of digits; nested too deep
        raise InputError("trace_file_json") from error


class Reader:
    """Reads parsed JSON by the types of a dataclass's fields.

    All fields must be there and no others. Whole numbers may stand for floats and nothing else for anything else.
    """

    def __init__(self, bounds: Mapping[str, Range], lengths: Mapping[str, tuple[int, int]]) -> None:
        """
        Args:
            bounds: inclusive, of the numbers in a field, by its name in whatever dataclass; finite for all others.
            lengths: inclusive, of the list in a field, by its name; any for all others.
        """
        self._bounds = bounds
        self._lengths = lengths

    def read(self, kind: type[Kind], value: object, where: str = "", name: str = "") -> Kind:
        """Return a value as one of `kind`.

        Args:
            kind: a dataclass; str, int, float or bool; a tuple of any length, a Literal of strings, or `… | None`.
            value: as `parse` gives it.
            where: the path to it, such as `steps[3].chosen.prob`.
            name: of the field that it stands in, itself or in a list.

        Raises:
            InputError: with the path to the value, and the value or what else is wrong there.
        """
        if is_dataclass(kind):
            return self._fields(kind, value, where)
        if get_origin(kind) is tuple:
            return self._items(get_args(kind)[0], value, where, name)
        if get_origin(kind) is UnionType:
            return None if value is None else self.read(get_args(kind)[0], value, where, name)
        if get_origin(kind) is Literal:
            right = isinstance(value, str) and value in get_args(kind)
        elif kind is str:
            right = isinstance(value, str) and _is_whole(value)
        elif kind is bool:
            right = isinstance(value, bool)
        else:
            right = type(value) in (int, kind) and self._in_bounds(value, name)  # to isinstance, True is an int
        if not right:
            raise _wrong(value, where)
        return float(value) if kind is float else value

    def _fields(self, kind: type[Kind], value: object, where: str) -> Kind:
        if not isinstance(value, dict):
            raise _wrong(value, where)
        types = _types(kind)
        prefix = f"{where}." if where else ""
        for name in value:
            if name not in types:
                raise InputError("trace_file_unknown", where=prefix + reprlib.repr(name)[1:-1])
        for name in types:
            if name not in value:
                raise InputError("trace_file_missing", where=f"{prefix}{name}")
        given = {name: self.read(types[name], value[name], f"{prefix}{name}", name) for name in types}
        try:
            return kind(**given)
        except SettingsError as error:
            knob = error.values.get("knob", "strategy")
            raise _wrong(value[knob], f"{prefix}{knob}") from error

    def _items(self, kind: type[Kind], value: object, where: str, name: str) -> tuple[Kind, ...]:
        if not isinstance(value, list):
            raise _wrong(value, where)
        low, high = self._lengths.get(name, (0, len(value)))
        if not low <= len(value) <= high:
            raise InputError("trace_file_count", where=where, count=len(value), low=low, high=high)
        return tuple(self.read(kind, item, f"{where}[{place}]", name) for place, item in enumerate(value))

    def _in_bounds(self, number: float, name: str) -> bool:
        low, high = self._bounds.get(name, (-LARGEST, LARGEST))
        return low <= number <= high  # never true of NaN


@cache
def _types(kind: type) -> dict[str, type]:
    return get_type_hints(kind)


def _is_whole(text: str) -> bool:
    """Tell whether UTF-8 can hold a text: JSON can carry half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _wrong(value: object, where: str) -> InputError:
    return InputError("trace_file_value", where=where, value=reprlib.repr(value))
