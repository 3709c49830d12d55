"""JSON objects as the rows of a table, and back: the same values of the same kinds.

A key is a column, of one kind over all rows: text, true or false, whole numbers, other numbers,
lists of one kind, or objects. Kinds are found in the values, and nothing is converted: 1 beside 1.5
under one key is refused, since a table would make 1.0 of it. A key that a row lacks is a null of
the table and comes back as a key that is lacking; so there is no null among the values.
"""

import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

Row = dict[str, Any]
_SCALARS = {str: pa.string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
_KINDS = {str: "text", bool: "true or false", int: "a whole number", float: "a number",
          list: "a list", dict: "an object", type(None): "nothing"}
_LARGEST = 2**63 - 1


def table_of(rows: Sequence[Row]) -> pa.Table:
    """The rows as a table, columns in their names' order but for `id`, which is the first.

    Raises ValueError naming the key whose values a table cannot hold as they are.
    """
    kind = _kind(rows, "") if any(rows) else pa.struct([])
    names = sorted((part.name for part in kind), key=lambda name: (name != "id", name))
    return pa.table({name: pa.array([row.get(name) for row in rows], kind.field(name).type)
                     for name in names})


def rows_of(table: pa.Table) -> list[Row]:
    """What `table_of` was given."""
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    objects = {name for name in columns if _has_objects(table.schema.field(name).type)}
    return [{name: _present(value) if name in objects else value
             for name, value in zip(columns, values, strict=True) if value is not None}
            for values in zip(*columns.values(), strict=True)]


def _kind(values: Sequence[Any], place: str) -> pa.DataType:
    """The one kind of `values`, which stand at `place` of their rows."""
    found = {type(value) for value in values}
    if len(found) > 1:
        kinds = " and ".join(sorted(_KINDS.get(kind, kind.__name__) for kind in found))
        raise ValueError(f"{place} is of several kinds: {kinds}; give all rows one of them")
    if not found:
        return pa.null()
    (kind,) = found
    if kind is list:
        return pa.list_(_kind([inner for value in values for inner in value],
                              f"{place}, an element"))
    if kind is dict:
        return _struct(values, place)
    if kind not in _SCALARS:
        raise ValueError(f"{place} is {_KINDS.get(kind, kind.__name__)}, which no table holds; "
                         "leave the key out, or make JSON of it")
    if kind is float and not all(map(math.isfinite, values)):
        raise ValueError(f"{place} is no finite number in some row")
    if kind is int and not all(-_LARGEST <= value <= _LARGEST for value in values):
        raise ValueError(f"{place} is beyond 64 bits in some row")
    return _SCALARS[kind]


def _struct(objects: Sequence[Row], place: str) -> pa.DataType:
    names = {name for value in objects for name in value}
    if not names:
        raise ValueError(f"{place} is an object without keys in all rows; leave it out")
    if any(not isinstance(name, str) for name in names):
        raise ValueError(f"{place} is an object with a key that is not text")
    return pa.struct([(name, _kind([value[name] for value in objects if name in value],
                                   f"{place}.{name}".lstrip(".")))
                      for name in sorted(names)])


def _has_objects(kind: pa.DataType) -> bool:
    return pa.types.is_struct(kind) or pa.types.is_list(kind) and _has_objects(kind.value_type)


def _present(value: Any) -> Any:
    """A value without the keys that its objects lack."""
    if isinstance(value, list):
        return [_present(inner) for inner in value]
    if isinstance(value, dict):
        return {name: _present(inner) for name, inner in value.items() if inner is not None}
    return value
