"""Small changes to a source file, each of which its tests should notice."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
PAIRS = (
    ("min", "max"),
    ("any", "all"),
    ("minimum", "maximum"),
    ("argmin", "argmax"),
    ("union1d", "intersect1d"),
    ("issubset", "issuperset"),
    ("nanmean", "nansum"),
    ("ones", "zeros"),
    ("ceil", "floor"),
    ("exp", "log"),
)
NAMES = {one: other for pair in PAIRS for one, other in (pair, pair[::-1])}


@dataclass(frozen=True)
class Mutant:
    """A change to the source: what stands at some bytes, and what is to stand there."""

    line: int
    text: str  # of the line
    begin: int
    end: int
    was: str
    now: str

    @property
    def change(self) -> str:
        """The change on one line."""
        return f"{' '.join(self.was.split())} -> {' '.join(self.now.split())}"

    def applied(self, source: str) -> str:
        """Return the source with the change."""
        raw = source.encode()
        return (raw[: self.begin] + self.now.encode() + raw[self.end :]).decode()


def mutants(source: str) -> list[Mutant]:
    """Return all changes to a source that are known, in its order, each once."""
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    raw, found = source.encode(), {}
    for node, now in _changes(ast.parse(source), ""):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        text = lines[node.lineno - 1].decode().strip()
        one = Mutant(node.lineno, text, begin, end, raw[begin:end].decode(), now)
        found[begin, end, now] = one
    return sorted(found.values(), key=lambda one: (one.begin, one.end))


Change = tuple[ast.expr | ast.stmt, str]  # what to replace, and by what


def _changes(node: ast.AST, returns: str) -> Iterator[Change]:
    if isinstance(node, ast.FunctionDef):
        returns = ast.unparse(node.returns) if node.returns else ""
    if isinstance(node, ast.stmt):
        yield from _of_statement(node, returns)
    if isinstance(node, ast.expr):
        yield from ((node, f"({ast.unparse(new)})") for new in _of_expression(node))
    for test in _tests(node):
        if not isinstance(test, ast.Compare | ast.UnaryOp):  # these are turned round already
            yield test, f"(not ({ast.unparse(test)}))"
    if isinstance(node, ast.Slice):
        for bound in (node.lower, node.upper):
            if isinstance(bound, ast.Name | ast.Attribute | ast.Call):
                yield bound, f"({ast.unparse(bound)} + 1)"
    if _decides_nothing(node):
        return
    for name, children in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in children if isinstance(children, list) else [children]:
            if isinstance(child, ast.AST):
                yield from _changes(child, returns)


def _decides_nothing(node: ast.AST) -> bool:
    """Say whether a node makes a message, names a limit, or describes a class."""
    match node:
        case ast.Call():
            return ast.unparse(node.func) == "warnings.warn"
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant() | ast.BinOp()):
            return name.isupper()
        case ast.FunctionDef(name=name) | ast.keyword(arg=name):
            return name in ("__sklearn_tags__", "strict")
    return isinstance(node, ast.Raise | ast.JoinedStr)


def _tests(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        return [node.test]
    return node.ifs if isinstance(node, ast.comprehension) else []


def _of_statement(node: ast.stmt, returns: str) -> Iterator[Change]:
    match node:
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.Continue():
            yield node, "pass"
        case ast.AugAssign(op=op):
            yield node, "pass"
            if type(op) in ARITHMETIC:
                new = copy.copy(node)
                new.op = ARITHMETIC[type(op)]()
                yield node, ast.unparse(new)
        case ast.Return(value=ast.expr() as value) if returns == "bool":
            yield from ((value, told) for told in ("True", "False") if ast.unparse(value) != told)


def _of_expression(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(ops=ops):
            for i, op in enumerate(ops):
                for other in COMPARE[type(op)]:
                    yield _with(node, ops=[*ops[:i], other(), *ops[i + 1 :]])
        case ast.BoolOp(op=op):
            yield _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
            if not any(_is_no_number(side) for side in (left, right)):
                yield _with(node, op=ARITHMETIC[type(op)]())
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield ast.Constant(value + 1)
            if value >= 1:
                yield ast.Constant(value - 1)
        case ast.Attribute(attr=name) if name in NAMES:
            yield _with(node, attr=NAMES[name])
        case ast.Call(func=ast.Name(id=name)) if NAMES.get(name) in ("min", "max", "any", "all"):
            yield _with(node, func=ast.Name(NAMES[name]))
        case ast.Tuple(elts=[ast.Constant() as first, ast.Constant() as second, *rest]):
            if isinstance(first.value, str):
                yield _with(node, elts=[second, first, *rest])


def _with(node: ast.expr, **fields: object) -> ast.expr:
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _is_no_number(node: ast.expr) -> bool:
    text = isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    return text or isinstance(node, ast.JoinedStr | ast.List | ast.ListComp | ast.Dict)
