"""Files of presets: how wide and deep the stages of an EfficientViT are, block by block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from eegvit.config.document import Document, KeyPath, StudyErrors, find
from eegvit.config.reading import flowing
from eegvit.config.signature import Strict, complaints

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0)]
Pair = tuple[Count, Count]
KEY, ENDINGS = "preset", (".yaml", ".yml")


class Searched(Strict):
    """Where a preset came from: whose labels chose it, and how good it was by these.

    Parameters
    ----------
    people : tuple of str
        Each as "data set/subject". A study that tests one of them refuses the preset.
    said : str
        What was searched, and what was found.
    """

    people: tuple[str, ...]
    said: str = ""


class Preset(Strict):
    """Settings of the stages of an EfficientViT, as `eegvit search` writes them.

    Parameters
    ----------
    family : {"cascaded"}
        Which stages these are.
    widths, depths, heads : tuple of int
        Planes, blocks and heads of each stage.
    kernels : tuple of int or (int, int)
        Of the convolution on the queries, one for each head.
    window : (int, int) or one for each stage
        Most rows and columns to attend over.
    key_dim, value_dim : int, None or tuple of tuple of int
        Width of a head's queries and keys, and of its values: of all, or of each block of each
        stage. None is that of the head's planes.
    ffn_ratio : float or tuple of tuple of float
        Hidden over outer planes of a feed-forward network: of all, or of each block.
    merging_ratio : float
        Hidden planes over those before where the map is halved.
    cascade, sandwich, interaction : bool
        As of the branch.
    attention : {"cascaded", "plain"}
        As of the branch.
    searched : mapping or None
        Where the preset came from.
    """

    family: Literal["cascaded"]
    widths: tuple[Count, ...]
    depths: tuple[Count, ...]
    heads: tuple[Count, ...]
    kernels: tuple[Count | Pair, ...] = ()
    window: Pair | tuple[Pair, ...] = ()
    key_dim: Count | tuple[tuple[Count, ...], ...] | None = None
    value_dim: Count | tuple[tuple[Count, ...], ...] | None = None
    ffn_ratio: Share | tuple[tuple[Share, ...], ...] = 2.0
    merging_ratio: Share = 4.0
    cascade: bool = True
    sandwich: bool = True
    interaction: bool = True
    attention: Literal["cascaded", "plain"] = "cascaded"
    searched: Searched | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        stages = len(self.widths)
        for name in ("depths", "heads"):
            if len(getattr(self, name)) != stages:
                raise ValueError(f"{name}: there are {stages} stages in widths")
        for width, heads in zip(self.widths, self.heads, strict=True):
            if width % heads:
                raise ValueError(f"widths: {width} planes are not shared evenly by {heads} heads")
        for name in ("key_dim", "value_dim", "ffn_ratio"):
            given = getattr(self, name)
            blocks = [len(stage) for stage in given] if isinstance(given, tuple) else None
            if blocks is not None and blocks != list(self.depths):
                raise ValueError(
                    f"{name}: give one value, or a list for each stage with one for each block"
                )
        return self


def load_preset(path: str | Path) -> dict[str, Any]:
    """Return what a preset's file says, checked: for `EfficientViTClassifier(preset=...)`.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "small.yaml"
    >>> _ = file.write_text("{family: cascaded, widths: [8], depths: [1], heads: [2]}")
    >>> load_preset(file)["widths"]
    (8,)
    """
    document = Document.read(Path(path))
    errors: list[str] = []
    checked = _checked(document, (), document.value, errors)
    if checked is None:
        raise StudyErrors(errors)
    return checked


def preset_text(preset: Mapping[str, Any], people: Sequence[str], said: str) -> str:
    """Return the text of a preset's file.

    Parameters
    ----------
    preset : mapping
    people : sequence of str
        Whose labels chose it, each as "data set/subject".
    said : str
        What was searched, and what was found.

    Examples
    --------
    >>> print(preset_text({"family": "cascaded", "widths": (8,)}, ["2b/1"], "by hand"), end="")
    family: cascaded
    widths: [8]
    searched: {people: [2b/1], said: by hand}
    """
    whole = {**preset, "searched": {"people": list(people), "said": said}}
    return "".join(f"{key}: {flowing(value)}\n" for key, value in whole.items())


def read_preset(
    document: Document, path: KeyPath, given: Mapping[str, Any], file: Path, errors: list[str]
) -> dict[str, Any]:
    """Return a branch's parameters, what the file of its preset says in place of its name.

    Parameters
    ----------
    document : Document
        The study file.
    path : tuple
        Of the model in it.
    given : mapping
        What it says of the model.
    file : Path
        The study file's path, near which the preset's is looked for.
    errors : list of str
        Where mistakes are noted.
    """
    said, here = given.get(KEY), (*path, KEY)
    found: dict[str, Any] | None = None
    if isinstance(said, str) and said.endswith(ENDINGS):
        try:
            found = load_preset(find("presets", said, file))
        except StudyErrors as error:
            errors += [document.error(here, line) for line in error.lines]
    elif isinstance(said, dict):
        found = _checked(document, here, said, errors)
    else:
        return dict(given)
    if found is not None and given.get("family") not in (None, found["family"]):
        text = f"the preset is of the family '{found['family']}', not '{given['family']}'"
        errors.append(document.error((*path, "family"), text))
    return {key: value for key, value in given.items() if key != KEY} | (
        {} if found is None else {KEY: found}
    )


def _checked(
    document: Document, path: KeyPath, given: Any, errors: list[str]
) -> dict[str, Any] | None:
    if not isinstance(given, dict):
        text = "expected a mapping with family, widths, depths and heads, as a preset's file has"
        errors.append(document.error(path, text))
        return None
    try:
        checked = Preset.model_validate({str(key): value for key, value in given.items()})
    except ValidationError as error:
        errors += [document.error((*path, *at), text) for at, text in complaints(error, Preset)]
        return None
    return checked.model_dump(exclude_unset=True)


def stages_of(preset: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a preset says of the stages: all but their family, and where it came from.

    Examples
    --------
    >>> stages_of({"family": "cascaded", "widths": (8,)})
    {'widths': (8,)}
    """
    return {name: value for name, value in preset.items() if name not in ("family", "searched")}
