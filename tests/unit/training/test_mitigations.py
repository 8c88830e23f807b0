"""What single mitigations compute, where the contract over all of them does not say."""

import json

import pytest
import torch

from data_contracts.dataset import DatasetRef
from data_contracts.errors import ConfigError, TrainingError
from data_contracts.results import BaseModelRef
from tasks.modeling.anchor_texts import read_anchor_texts, require_apart, write_anchor_texts
from tasks.modeling.base_model import load_model, load_tokenizer
from tasks.training.anchor_config import AnchorConfig
from tasks.training.anchors import Anchors, collect_anchors, encode_anchors
from tasks.training.config import TrainingConfig
from tasks.training.distillation import divergences
from tasks.training.fisher import add_earlier, diagonal_fisher, score
from tasks.training.invariant_path import InvariantPath
from tasks.training.mitigation import Run, trained
from tasks.training.mitigations.freezing import Freezing
from tasks.training.mitigations.sam import Sam
from tasks.training.mitigations.wise_ft import WiseFt
from tasks.training.task import model_fingerprint
from tests.tiny_models import tiny_base


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("base"), "llama")


def run_of(model, anchors=None, losses=lambda: 0.0) -> Run:
    return Run(model, anchors, lambda: model, True, False, losses)


@pytest.fixture
def run(base):
    tokenizer, model = load_tokenizer(base), load_model(base)
    config = AnchorConfig(texts=3, tokens=8)
    rows = encode_anchors(["a ferry", "the capital of France", "leave"], config, tokenizer)
    return run_of(model, Anchors(rows, tokenizer.pad_token_id))


def test_divergence_is_that_of_the_whole_vocabulary_where_all_tokens_are_kept():
    torch.manual_seed(0)
    base, tuned = torch.randn(5, 11), torch.randn(5, 11)
    p, q = base.log_softmax(-1), tuned.log_softmax(-1)
    whole = (p.exp() * (p - q)).sum(-1)
    chances, tokens = p.exp().topk(11)
    assert torch.allclose(divergences(tuned, tokens, chances), whole, atol=1e-4)
    chances, tokens = p.exp().topk(4)
    part = divergences(tuned, tokens, chances)
    assert (part <= whole + 1e-5).all() and (part > 0).all()
    assert torch.allclose(divergences(base, tokens, chances), torch.zeros(5), atol=1e-6)


def test_fisher_information_is_the_squared_score_per_token(run):
    found = diagonal_fisher(run.model, run.texts)
    scores = [score(run.model, run.texts, place) for place in range(3)]
    tokens = sum(count for _, count in scores)
    for name in trained(run.model):
        expected = sum(gradient[name].square() for gradient, _ in scores) / tokens
        assert torch.allclose(found[name], expected, rtol=1e-5)
    assert all(p.grad is None for p in run.model.parameters())


def test_earlier_fisher_information_fades_and_another_model_s_is_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"w": torch.full((2,), 4.0)}, tmp_path / "sum")
    now = {"w": torch.ones(2)}
    add_earlier(now, tmp_path / "sum", 0.5)
    assert torch.equal(now["w"], torch.full((2,), 3.0))
    with pytest.raises(ConfigError, match="other parameters"):
        add_earlier({"v": torch.ones(2)}, tmp_path / "sum", 0.5)
    with pytest.raises(ConfigError, match="no Fisher information"):
        add_earlier(now, tmp_path / "none", 0.5)


def test_a_step_along_what_anchors_depend_on_shrinks_and_another_stays(run):
    path = InvariantPath(run, strength=9.0, directions=1, every=1)
    path.before_step(0)
    direction = {name: value.clone() for name, value in path.directions[0].items()}
    before = {name: p.detach().clone() for name, p in trained(run.model).items()}
    across = {name: torch.randn_like(value) for name, value in direction.items()}
    along = sum((across[name] * direction[name]).sum() for name in direction)
    across = {name: value - along * direction[name] for name, value in across.items()}
    with torch.no_grad():
        for name, p in trained(run.model).items():
            p.add_(direction[name] + across[name])
    path.after_step(0)
    for name, p in trained(run.model).items():
        expected = before[name] + direction[name] / 10 + across[name]
        assert torch.allclose(p, expected, atol=1e-4), name


def test_sam_takes_the_gradient_at_the_worst_point_and_adds_it_to_what_was_there():
    model = torch.nn.Linear(1, 1, bias=False)
    weight = model.weight
    with torch.no_grad():
        weight.fill_(2.0)
    guard = Sam(rho=0.5).start(run_of(model))

    def once() -> torch.Tensor:
        loss = weight.square().sum()
        loss.backward()
        return loss.detach()

    weight.grad = torch.full((1, 1), 10.0)
    assert guard.backward(once) == 4.0
    assert weight.grad.item() == pytest.approx(10.0 + 2 * 2.5)
    assert weight.item() == 2.0


def test_wise_ft_goes_back_as_far_as_the_share_of_the_gain_allows(tmp_path):
    model = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(0.0)
    guard = WiseFt(given_up=0.2, points=10).start(
        run_of(model, losses=lambda: 1.0 - model.weight.item())
    )
    with torch.no_grad():
        model.weight.fill_(1.0)
    found = guard.finish(tmp_path)
    assert found["coefficient"] == pytest.approx(0.8)
    assert model.weight.item() == pytest.approx(0.8)
    assert found["validation_loss"] == pytest.approx(0.2)


def test_wise_ft_asks_for_few_losses_and_stays_where_training_gained_nothing(tmp_path):
    asked = []
    model = torch.nn.Linear(1, 1, bias=False)

    def loss() -> float:
        asked.append(model.weight.item())
        return model.weight.item()  # rises towards the tuned model

    with torch.no_grad():
        model.weight.fill_(0.0)
    guard = WiseFt().start(run_of(model, losses=loss))
    with torch.no_grad():
        model.weight.fill_(1.0)
    found = guard.finish(tmp_path)
    assert len(asked) <= 8, "20 coefficients by halves, the two ends, and the one that is taken"
    assert found["coefficient"] == 0
    assert model.weight.item() == 0


def test_freezing_stops_the_first_layers_and_what_the_pattern_names(base):
    model = load_model(base)
    Freezing(share=0.5, pattern="embed|norm").prepare(model)
    names = set(trained(model))
    assert names
    assert all(".layers.1." in name and "norm" not in name for name in names)


def test_the_base_writes_the_same_anchor_texts_twice_and_leaves_chance_alone(base, tmp_path):
    config, tokenizer = AnchorConfig(texts=5, tokens=6), load_tokenizer(base)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    texts = collect_anchors(config, base, tokenizer, tmp_path / "a")
    assert torch.equal(torch.rand(1), expected)
    assert len(set(texts)) == 5
    assert collect_anchors(config, base, tokenizer, tmp_path / "b") == texts
    write_anchor_texts(tmp_path / "a" / "anchors.jsonl", ["kept"])
    assert collect_anchors(config, base, tokenizer, tmp_path / "a") == ["kept"]


MEASURED = " ".join(f"word{n}" for n in range(20))


@pytest.mark.parametrize(
    "anchor", [MEASURED, "Before " + MEASURED.upper(), " ".join(f"word{n}" for n in range(7, 20))]
)
def test_anchor_texts_that_share_a_passage_with_what_is_measured_are_refused(anchor):
    with pytest.raises(TrainingError, match=r"Anchor text 2 of mine.jsonl shares"):
        require_apart(["Other words.", anchor], [MEASURED], "mine.jsonl")
    require_apart([" ".join(f"word{n}" for n in range(8, 20))], [MEASURED], "mine.jsonl")


@pytest.mark.parametrize("text", ["", "{}", '{"text": ""}', "no json", '{"text": 3}'])
def test_a_file_that_holds_no_texts_is_refused_with_what_was_expected(text, tmp_path):
    path = tmp_path / "anchors.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TrainingError, match='Expected lines like {"text"'):
        read_anchor_texts(path)


def test_the_model_s_name_changes_with_mitigations_and_with_what_they_read(tmp_path):
    examples = DatasetRef.model_construct(content_sha256="c")
    base = BaseModelRef(name="b", folder=tmp_path, fingerprint="f")
    file = tmp_path / "anchors.jsonl"

    def name(text: str, *mitigations: dict[str, object]) -> str:
        file.write_text(json.dumps({"text": text}), encoding="utf-8")
        anchors = {"file": file}
        config = TrainingConfig.model_validate({"mitigations": mitigations, "anchors": anchors})
        return model_fingerprint(examples, base, config)

    ewc, l2_sp = {"mitigation": "ewc"}, {"mitigation": "l2_sp"}
    assert name("a", ewc) == name("a", ewc)
    assert len({name("a"), name("a", ewc), name("b", ewc), name("a", ewc, l2_sp)}) == 4
    assert name("a", l2_sp) == name("b", l2_sp)  # it reads no anchors
