"""The files of a report: whole, equal for equal predictions, readable, safe to open."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import time
import xml.etree.ElementTree
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from eegvit.config import Model
from eegvit.report import terminal, words, write
from eegvit.report.manifest import machine, manifest, versions
from eegvit.report.page import page
from eegvit.report.text.csv_files import board_csv, pairs_csv, scores_csv
from eegvit.report.text.markdown import markdown
from eegvit.results.metrics import METRICS
from eegvit.results.outcomes import Outcome
from eegvit.results.results import Reading, Results, tabulate

COMMAND = "python -m eegvit.run pipelines/made_up.yaml"
CLASSES = ("left_hand", "right_hand", "feet", "tongue")
HOSTILE = "<script>alert('x')</script>&\"|"


class Checked(HTMLParser):
    """Collect tags and insist that they close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in ("meta", "br", "wbr", "link", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_file_is_written(results: Results, tmp_path: Path) -> None:
    path = write(results, tmp_path / "made_up", command=COMMAND)
    assert path == tmp_path / "made_up" / "leaderboard.html"
    assert sorted(p.name for p in path.parent.iterdir()) == [
        "leaderboard.csv",
        "leaderboard.html",
        "leaderboard.md",
        "manifest.json",
        "pairs.csv",
        "predictions.npz",
        "scores.csv",
    ]
    again = write(results, tmp_path / "made_up", command=COMMAND)
    assert again == path  # replaces what is there


def test_scores_do_not_depend_on_time_or_order(results: Results, make_study, make_outcomes) -> None:
    study = make_study()
    slower = [replace(o, seconds={"fit": 99.0}) for o in make_outcomes(study)][::-1]
    assert scores_csv(tabulate(study, CLASSES, slower)) == scores_csv(results)


def test_scores_csv_has_every_row_and_metric(results: Results) -> None:
    rows = list(csv.DictReader(io.StringIO(scores_csv(results))))
    assert len(rows) == len(results.rows) == (6 * 9 + 7) * 2 * 3
    assert list(rows[0])[:6] == ["model", "data", "subject", "session", "seed", "n_trials"]
    for name in METRICS:
        assert float(rows[0][name]) == pytest.approx(results.rows[0][name], abs=1e-6)
    assert "seconds" not in scores_csv(results)


def test_undefined_score_is_an_empty_cell(results: Results) -> None:
    odd = replace(results, rows=[results.rows[0] | {"roc_auc": float("nan")}])
    (row,) = csv.DictReader(io.StringIO(scores_csv(odd)))
    assert row["roc_auc"] == ""


def test_board_csv_keeps_the_failed_model(results: Results) -> None:
    rows = {row["model"]: row for row in csv.DictReader(io.StringIO(board_csv(results)))}
    assert set(rows) == set(results.study.models)
    assert rows["mdm"]["status"] == "failed" and rows["mdm"]["rank"] == rows["mdm"]["mean"] == ""
    assert "2 of 9 fits failed" in rows["mdm"]["reason"]
    assert rows["tangent-space"]["rank"] == "1"
    assert float(rows["tangent-space"]["p"] or -1) == -1  # the best is compared with nobody
    assert 0 < float(rows["fbcsp"]["p_holm"]) <= 1


def test_terminal_fits_and_says_what_matters(results: Results) -> None:
    said = terminal(results)
    assert max(map(len, said.splitlines())) <= 100
    for model in results.study.models:
        assert model in said
    assert "SIMULATED" in said and "FAILED" in said and "Target use: causal" in said
    assert re.search(r"chance +27\.\d\*", said)  # at chance, and marked so


def test_terminal_with_long_names_fits(make_study, make_outcomes) -> None:
    study = make_study()
    models = {f"{name} with a very long name indeed": m for name, m in study.models.items()}
    long = study.model_copy(update={"models": models, "description": "x" * 300})
    made = [
        replace(o, model=f"{o.model} with a very long name indeed", reason=o.reason * 9)
        for o in make_outcomes(study)
    ]
    said = terminal(tabulate(long, CLASSES, made))
    assert max(map(len, said.splitlines())) <= 100


def test_nothing_is_cut_off_on_a_terminal(make_study, make_outcomes) -> None:
    study = make_study(["csp+lda"])
    name = "a-model-whose-name-is-far-longer-than-its-column-and-ends-so"
    named = study.model_copy(update={"models": {name: study.models["csp+lda"]}})
    said = terminal(
        tabulate(named, CLASSES, [replace(o, model=name) for o in make_outcomes(study)])
    )
    assert "…" not in said
    assert name in "".join(re.findall(r"[a-z]+(?:-[a-z]*)+", said))


def test_markdown_tables_are_aligned(results: Results) -> None:
    text = markdown(results, COMMAND)
    tables = [block for block in text.split("\n\n") if block.startswith("| ")]
    assert len(tables) == 3
    for table in tables:
        assert len({len(line) for line in table.splitlines()}) == 1
        assert len({line.count("|") for line in table.splitlines()}) == 1
    assert "SIMULATED" in text and COMMAND in text


def test_page_is_one_well_formed_file(results: Results) -> None:
    text = page(results, manifest(results, COMMAND))
    parser = Checked()
    parser.feed(text)
    assert parser.open == []
    assert "link" not in parser.seen and "img" not in parser.seen
    assert not re.search(r'\ssrc=|@import|url\("?http', text)
    drawings = re.findall(r"<svg.*?</svg>", text, flags=re.S)
    assert len(drawings) > 10
    for drawing in drawings:
        xml.etree.ElementTree.fromstring(drawing)
        assert "nan" not in drawing.lower().replace("nano", "")
    assert text.count("<tbody>") >= 3  # a body for each kind of target use


def test_page_shows_every_stage_and_what_is_not_known(results: Results) -> None:
    known = replace(results, view_stages={"read": 75.0, "filter": math.nan, "align": 0.0})
    text = page(known, manifest(known), began=time.process_time() - 30)
    (table,) = re.findall(r'<table class="stages".*?</table>', text, flags=re.S)
    names = re.findall(r"<th [^>]*>([^<]*)</th>", table)
    cells = dict(zip(names, re.findall(r"<td>([^<]*)</td>", table), strict=True))
    assert names[:3] == ["reading", "filtering and cutting", "alignment"]
    assert list(cells.values())[:3] == ["75 s", "–", "0 ms"] and cells["report"] == "30 s"
    assert cells["training"] == words.seconds(results.stages["fit"])


def test_page_says_what_it_shows(results: Results) -> None:
    text = page(results, manifest(results, COMMAND))
    for said in (
        "made_up",
        "SIMULATED",
        "BCI Competition IV 2a",
        "Free for research with citation",
        "Tangermann et al. 2012",
        "9 subjects",
        "each subject is tested by models trained on all the other subjects",
        COMMAND,
        "LinAlgError: matrix is not positive definite",
        "data: bci_iv_2a  # &lt;b&gt;bold&lt;/b&gt;",
        "smallest possible p before correction is 0.004",
    ):
        assert said in text, said


def test_warnings_and_what_was_read_have_a_place_where_there_are_any(results: Results) -> None:
    assert 'id="trials"' not in page(results, manifest(results))
    told = replace(
        results,
        warnings=(f"1 of 12 trials reaches beyond the recording {HOSTILE}",),
        reading=(
            Reading("bci_iv_2a", "1", "0train", 47, 1, "reaches beyond the recording"),
            Reading("bci_iv_2a", "2", "0train", 1048),
        ),
    )
    text = page(told, manifest(told))
    section = text[text.index('<section id="trials">') : text.index('<section id="reading">')]
    assert 'href="#trials"' in text and "<script>" not in section
    assert "1 of 12 trials reaches beyond the recording &lt;script&gt;" in section
    for shown in (">47<", ">1<", ">1,048<", ">0<", ">reaches beyond the recording<"):
        assert shown in section, shown
    assert "1 of 12 trials reaches beyond" in terminal(told)
    assert "## Warnings" in markdown(told) and "## Warnings" not in markdown(results)


def test_an_opened_row_shows_the_scores_of_scores_csv(results: Results) -> None:
    text = page(results, manifest(results))
    (said,) = re.findall(r'<script type="application/json" id="scores">(.*?)</script>', text)
    told = json.loads(said)
    rows = list(csv.DictReader(io.StringIO(scores_csv(results))))
    assert told["digits"] == 1 and set(told["models"]) == {row["model"] for row in rows}
    n_values = 0
    for model, about in told["models"].items():
        for person, session, *values in about["rows"]:
            for seed, value in zip(about["seeds"], values, strict=True):
                (row,) = [
                    row
                    for row in rows
                    if (row["model"], row["subject"], row["session"], row["seed"])
                    == (model, person, session, str(seed))
                ]
                assert value == pytest.approx(100 * float(row["accuracy"]), abs=1e-3)
                n_values += 1
    assert n_values == len(rows)


def test_a_reason_that_models_share_is_said_once_and_whole(make_study, make_outcomes) -> None:
    study = make_study(["csp+lda", "mdm", "eegnet"])
    reason = "ValueError: " + "electrodes of this person are named otherwise " * 6 + "END"
    made = [
        replace(o, probabilities=None, failed=True, reason=reason)
        if o.model in ("csp+lda", "mdm")
        else o
        for o in make_outcomes(study)
    ]
    results = tabulate(study, CLASSES, made)
    said = terminal(results)
    assert said.count("END") == 1 and "csp+lda, mdm: 9 of 9 fits failed" in said
    assert max(map(len, said.splitlines())) <= 100
    assert " ".join(said.split()).count(reason) == 1
    assert markdown(results).count("END") == 1


def test_names_give_no_orders_to_terminals_and_spreadsheets(make_study, make_outcomes) -> None:
    study = make_study(["csp+lda"])
    order = "=HYPERLINK(1)\x1b[31m\u202e"
    named = study.model_copy(update={"models": {order: study.models["csp+lda"]}})
    made = [
        replace(o, model=order, subject=np.full(len(o.y), "@" + o.subject[0]))
        for o in make_outcomes(study)
    ]
    results = tabulate(named, CLASSES, made)
    for text in (terminal(results), markdown(results), scores_csv(results), board_csv(results)):
        assert "\x1b" not in text and "\u202e" not in text and "HYPERLINK" in text
    for text in (scores_csv(results), board_csv(results)):
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "@"))]


def test_three_people_are_too_few_for_an_interval(make_study, make_outcomes) -> None:
    study = make_study(["csp+lda", "eegnet"])
    for n_people in (3, 4):
        results = tabulate(study, CLASSES, make_outcomes(study, n_subjects=n_people))
        shown = page(results, manifest(results)), markdown(results), terminal(results)
        assert all(("too few" in text) == (n_people == 3) for text in shown)


def test_a_reference_has_its_column_and_its_tests(make_study, make_outcomes) -> None:
    study = make_study(["csp+lda", "fbcsp", "tangent-space", "eegnet"])
    chosen = study.model_copy(update={"reference": "fbcsp"})
    results = tabulate(chosen, CLASSES, make_outcomes(study))
    rows = {row["model"]: row for row in csv.DictReader(io.StringIO(board_csv(results)))}
    means = {name: float(row["mean"]) for name, row in rows.items()}
    for name in ("eegnet", "csp+lda"):
        expected = means[name] - means["fbcsp"]
        assert float(rows[name]["reference_difference"]) == pytest.approx(expected, abs=2e-6)
        assert float(rows[name]["reference_low"]) < expected < float(rows[name]["reference_high"])
    assert rows["fbcsp"]["reference_difference"] == rows["fbcsp"]["p"] == ""
    text = page(results, manifest(results))
    assert ">To fbcsp<" in text and "other target use" in text
    assert "against fbcsp, Holm over all rows" in terminal(results) + markdown(results)
    alone = tabulate(study, CLASSES, make_outcomes(study))
    assert "To fbcsp" not in page(alone, manifest(alone))


def test_people_and_seeds_are_shown_apart(results: Results) -> None:
    text = page(results, manifest(results))
    eegnet = next(row for row in results.board if row.model == "eegnet")
    assert eegnet.both_low < eegnet.ci_low < eegnet.ci_high < eegnet.both_high
    assert text.count("with seeds ") == 1  # the one model that depends on the seed
    assert "people and seeds" in text and "80 % of such studies would find" in text
    lines = list(csv.DictReader(io.StringIO(pairs_csv(results))))
    assert len(lines) == 1 + 3  # pairs of csp+lda and chance; of three unlabelled rows
    assert {line["n_subjects"] for line in lines} == {"9"}


@pytest.mark.slow
def test_forty_models_of_a_hundred_people_fit_a_page(tmp_path: Path, make_study) -> None:
    study = make_study(["fbcsp"])
    models = {f"model-{i:02d}": study.models["fbcsp"] for i in range(40)}
    evaluate = study.evaluate.model_copy(update={"seeds": tuple(range(5))})
    study = study.model_copy(update={"models": models, "evaluate": evaluate})
    y = np.tile(np.arange(4), 10)
    made = []
    for number, name in enumerate(models):
        for person in range(109):
            for seed in range(5):
                rng = np.random.default_rng([number, person, seed])
                logits = rng.normal(size=(40, 4)) + (0.3 + number / 50) * np.eye(4)[y]
                probabilities = np.exp(logits)
                made.append(
                    Outcome(
                        model=name,
                        split=f"{person} left out",
                        seed=seed,
                        key=f"{name}/{person * 5 + seed:064x}",
                        target="unlabelled",
                        ids=np.array([f"{person}/0/0/{i}" for i in range(40)]),
                        data=np.full(40, "made"),
                        subject=np.full(40, str(person)),
                        session=np.full(40, "0"),
                        y=y,
                        probabilities=probabilities / probabilities.sum(1, keepdims=True),
                        history=dict.fromkeys(("train_loss", "valid_loss"), rng.random(100)),
                    )
                )
    results = tabulate(study, CLASSES, made)
    about = manifest(results)
    began = time.process_time()
    text = page(results, about)
    assert time.process_time() - began < 20
    assert len(text.encode()) < 5e6 and text.count("Learning curves of") == 40


def test_every_page_says_what_one_should_know_of_the_data(make_study, make_outcomes) -> None:
    study = make_study()
    said = "Cut into <epochs>: 4 s from the cue | 7 to 28 Hz."
    card = study.data[0].model_copy(update={"notes": said})
    results = tabulate(study.model_copy(update={"data": (card,)}), CLASSES, make_outcomes(study))
    assert said.replace("<", "&lt;").replace(">", "&gt;") in page(results, manifest(results))
    assert "- bci_iv_2a: Cut into &lt;epochs>: 4 s from the cue \\|" in markdown(results)
    assert manifest(results)["data"][0]["notes"] == said
    assert "## Data" not in markdown(tabulate(study, CLASSES, make_outcomes(study)))


def test_real_data_are_not_called_simulated(make_study, make_outcomes) -> None:
    study = make_study(["csp+lda"], simulated=False)
    results = tabulate(study, CLASSES, make_outcomes(study))
    text = page(results, manifest(results)) + markdown(results) + terminal(results)
    assert "SIMULATED" not in text and "Simulated data" not in text


def test_everything_from_outside_is_escaped(make_study, make_outcomes) -> None:
    study = make_study(["csp+lda", "mdm"])
    card = study.data[0].model_copy(
        update={"title": HOSTILE, "citation": HOSTILE, "url": "javascript:alert(1)"}
    )
    hostile = study.model_copy(
        update={
            "description": HOSTILE,
            "source_text": HOSTILE,
            "data": (card,),
            "models": {f"{name}{HOSTILE}": m for name, m in study.models.items()},
        }
    )
    made = [
        replace(
            o,
            model=o.model + HOSTILE,
            subject=np.full(len(o.y), o.subject[0] + HOSTILE),
            split=HOSTILE,
            key=o.key + HOSTILE,
            reason=HOSTILE,
        )
        for o in make_outcomes(study)
    ]
    results = tabulate(hostile, (HOSTILE, *CLASSES[1:]), made)
    text = page(results, manifest(results, HOSTILE))
    assert "alert('x')" not in text and "<script>alert" not in text
    assert "&lt;script&gt;" in text and 'href="javascript' not in text
    assert text.count("<script>") == 1
    assert "<script>" not in markdown(results).replace(f"    {HOSTILE}", "")


@pytest.mark.parametrize("metric", ["kappa", "roc_auc", "log_loss", "macro_f1"])
def test_every_metric_can_lead(metric: str, tmp_path: Path, make_study, make_outcomes) -> None:
    study = make_study(["csp+lda", "eegnet", "mdm"], metric=metric)
    results = tabulate(study, CLASSES, make_outcomes(study, n_subjects=3, n_trials=40))
    text = write(results, tmp_path).read_text("utf-8")
    assert ">nan<" not in text and "nan" not in terminal(results)


def test_one_model_one_subject_one_class_missing(tmp_path: Path, make_study, make_outcomes) -> None:
    study = make_study(["csp+lda"])
    made = [o for o in make_outcomes(study, n_subjects=1) if o.seed == 0]
    results = tabulate(study, CLASSES, made)
    assert "–" in terminal(results)
    assert ">nan<" not in write(results, tmp_path).read_text("utf-8")


def test_nothing_but_failures(tmp_path: Path, make_study, make_outcomes) -> None:
    study = make_study(["csp+lda", "mdm"])
    made = [
        replace(o, probabilities=None, failed=True, reason="killed") for o in make_outcomes(study)
    ]
    results = tabulate(study, CLASSES, made)
    text = write(results, tmp_path).read_text("utf-8")
    assert text.count("FAILED") == 2 and "9 of 9 fits failed: killed" in text
    assert (tmp_path / "scores.csv").read_text("utf-8").count("\n") == 1
    assert terminal(results).count("FAILED") == 2


def test_predictions_can_be_scored_again(results: Results, tmp_path: Path) -> None:
    write(results, tmp_path)
    with np.load(tmp_path / "predictions.npz", allow_pickle=False) as saved:
        assert saved["classes"].tolist() == list(CLASSES)
        assert saved["ids"].tolist() == sorted(saved["ids"].tolist())
        y, ids = saved["y"], saved["ids"]
        own = np.array([name.startswith("4/") for name in ids])
        by_seed = [
            METRICS["accuracy"](y[own], saved[f"probabilities/eegnet/{seed}"][own])
            for seed in (0, 1, 2)
        ]
        missing = np.isnan(saved["probabilities/mdm/0"]).any(1)
        assert {name.split("/")[0] for name in ids[missing]} == {"3", "5"}
    eegnet = next(row for row in results.board if row.model == "eegnet")
    assert np.mean(by_seed) == pytest.approx(eegnet.subjects["4"])


def test_manifest_is_complete_json(results: Results, tmp_path: Path) -> None:
    write(results, tmp_path, command=COMMAND)
    about = json.loads((tmp_path / "manifest.json").read_text("utf-8"))
    assert about["study_text"] == results.study.source_text and about["command"] == COMMAND
    assert about["simulated"] is True and len(about["study_sha256"]) == 64
    assert {"numpy", "scikit-learn", "python", "eegvit"} <= set(about["versions"])
    assert about["machine"]["cores"] >= 1 and about["machine"]["processor"]
    stages = about["cpu_seconds_per_stage"]
    assert list(stages) == ["read", "filter", "align", "features", "fit", "predict", "report"]
    assert stages["read"] is None and stages["features"] > 0 and stages["report"] > 0
    assert len(about["fits"]) == 6 * 9 + 3 * 9 and all(fit["key"] for fit in about["fits"])
    assert versions() == about["versions"] and machine() == about["machine"]


def test_a_failed_write_leaves_the_old_file(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(results, tmp_path)
    before = (tmp_path / "scores.csv").read_bytes()

    def broken(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("eegvit.sealed.os.fsync", broken)
    with pytest.raises(OSError, match="no space"):
        write(replace(results, rows=[]), tmp_path)
    assert (tmp_path / "scores.csv").read_bytes() == before
    assert not [p for p in tmp_path.iterdir() if p.name.endswith(".tmp")]


def test_what_a_killed_process_left_is_cleared_away(results: Results, tmp_path: Path) -> None:
    young, old = tmp_path / ".scores.csv.1.tmp", tmp_path / ".scores.csv.2.tmp"
    young.touch()
    old.touch()
    os.utime(old, (0, 0))
    write(results, tmp_path)
    assert young.exists() and not old.exists()


def test_fused_models_are_shown_beside_their_branches(make_study, make_outcomes) -> None:
    study = make_study(["fbcsp", "eegnet", "tangent-space"])
    parts = {"branches": [{"branch": "fbcsp"}, {"branch": "eegnet"}]}
    models = {**study.models, "tangent-space": Model(branch="fusion", parameters=parts)}
    made = study.model_copy(update={"models": models})
    results = tabulate(made, CLASSES, make_outcomes(made))
    (line,) = [one for one in markdown(results).splitlines() if one.startswith("| tangent-space |")]
    fused, eegnet = ({r.model: r for r in results.board}[m] for m in ("tangent-space", "eegnet"))
    gained = 100 * (fused.mean - eegnet.mean)
    assert f"eegnet {100 * eegnet.mean:.1f}" in line and f"| {gained:+.1f} |" in line
    assert gained > 0 and line in markdown(results)
    text = page(results, manifest(results))
    assert 'href="#fusion"' in text and f"+{gained:.1f}" in text[text.index('id="fusion"') :]
    alone = tabulate(study, CLASSES, make_outcomes(study))
    assert "Fusion" not in page(alone, manifest(alone)) and "Fusion" not in markdown(alone)
