"""What deploy/ says holds: services stay inside, logins are on, job templates are usable."""

import configparser
import json
import re

import pytest
import yaml

from flows.environment import _LOGGERS
from flows.services import _OURS


@pytest.fixture(scope="module")
def deploy(repository):
    return repository / "deploy"


@pytest.fixture(scope="module")
def services(deploy):
    return yaml.safe_load((deploy / "compose" / "compose.yaml").read_text())["services"]


def test_the_proxy_alone_has_open_ports(services):
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    assert [name for name, service in services.items() if "outside" in service["networks"]] == [
        "proxy"
    ]


def test_services_ask_for_a_login(services):
    assert "--app-name basic-auth" in services["mlflow"]["command"]
    server = services["prefect"]["environment"]["PREFECT_SERVER_API_AUTH_STRING"]
    assert server == services["prefect"]["environment"]["PREFECT_API_AUTH_STRING"]
    assert "PREFECT_API_AUTH_STRING" in services["worker"]["environment"]


def test_workers_may_share_a_store_and_have_no_keys_of_mlflows_bucket(services):
    assert services["mlflow"]["environment"]["AWS_ACCESS_KEY_ID"].startswith("${S3_")
    for name in ("worker", "worker-training"):
        environment = services[name]["environment"]
        assert environment["TEMPER_STORE"] == "${TEMPER_STORE:-}"  # none unless it is asked for
        keys = {environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]}
        assert not any("${S3_" in key for key in keys)


def test_leases_outlive_a_restart_of_prefects_server(deploy, services):
    name = "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE"
    kept = _OURS[name]  # what `temper up` sets
    prefect = services["prefect"]
    assert prefect["environment"][name] == kept
    folder = prefect["volumes"][0].partition(":")[2]
    assert prefect["environment"]["PREFECT_HOME"].startswith(folder)
    assert f"{name}={kept}\n" in (deploy / "systemd" / "temper.env.example").read_text()


def test_workers_send_what_stages_say_to_prefect(deploy):
    stated = f"PREFECT_LOGGING_EXTRA_LOGGERS={','.join(_LOGGERS)}"
    for name in ("images/Containerfile.cpu", "images/Containerfile.gpu"):
        assert f" {stated} " in (deploy / name).read_text()
    assert f"\n{stated}\n" in (deploy / "systemd" / "temper.env.example").read_text()


def test_every_variable_is_named_in_the_example_and_no_secret_is_written_down(deploy):
    text = (deploy / "compose" / "compose.yaml").read_text()
    example = (deploy / "compose" / "env.example").read_text()
    stated = dict(re.findall(r"^([A-Z0-9_]+)=(.*)$", example, re.MULTILINE))
    assert set(re.findall(r"\$\{([A-Z0-9_]+)", text)) == set(stated)
    secret = re.compile("PASSWORD|KEY|AUTH")
    assert not [name for name, value in stated.items() if secret.search(name) and value]


@pytest.mark.parametrize("pool", ["temper-cpu", "temper-gpu"])
def test_a_job_template_uses_the_variables_it_declares(deploy, pool):
    path = deploy / "kubernetes" / f"job-template-{pool}.json"
    template = json.loads(path.read_text())
    used = set(re.findall(r"\{\{ (\w+) \}\}", json.dumps(template["job_configuration"])))
    assert used == set(template["variables"]["properties"])
    job = template["job_configuration"]["job_manifest"]["spec"]
    assert job["backoffLimit"] == 0  # Prefect decides what is started again
    limits = job["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert ("nvidia.com/gpu" in limits) == (pool == "temper-gpu")


def test_pools_of_the_code_are_those_of_the_deployments_and_templates(deploy):
    from flows.register import POOLS
    from flows.serve import specifications

    assert {stated["work_pool"]["name"] for stated in specifications()} == set(POOLS)
    assert POOLS["temper-gpu"] == 1
    names = {path.stem for path in (deploy / "kubernetes").glob("job-template-*.json")}
    assert names == {f"job-template-{name}" for name in POOLS}


def documented(deploy, pattern):
    """Return what follows each command of deploy/README.md that the pattern begins."""
    found = re.findall(pattern, (deploy / "README.md").read_text())
    assert found
    return found


def merged(base, over):
    """Return what Compose makes of two files as far as ours go: mappings are merged."""
    both = {**base, **over}
    shared = [k for k in base.keys() & over.keys() if isinstance(base[k], dict)]
    return both | {key: merged(base[key], over[key]) for key in shared}


def pools(commands):
    return sorted(pool for text in commands for pool in re.findall(r"--pool,? ([\w-]+)", text))


def test_each_documented_way_to_start_has_one_worker_for_each_pool(deploy):
    """A pool without a worker starts no run; with two kinds, where a run trains is chance."""
    from flows.serve import specifications

    named = sorted({stated["work_pool"]["name"] for stated in specifications()})
    ways = documented(deploy, r"docker compose ((?:-f \S+ )+)up -d")
    assert ["gpu.yaml" in way for way in ways] == [False, True]
    for way in ways:
        composed = {}
        for path in re.findall(r"-f deploy/(\S+)", way):
            composed = merged(composed, yaml.safe_load((deploy / path).read_text()))
        started = [each for each in composed["services"].values() if not each.get("profiles")]
        assert pools(each.get("command", "") for each in started) == named, way
        training = composed["services"]["worker-training"]
        # the image with CUDA and the device go together
        assert training["image"].removeprefix("temper:") in training["build"]["dockerfile"]
        assert ("gpu" in training["image"]) == ("deploy" in training) == ("gpu.yaml" in way)

    unit = (deploy / "systemd" / "temper-worker@.service").read_text()
    for enabled in documented(deploy, r"systemctl enable --now ([^`]+)`"):
        instances = re.findall(r"temper-worker@(\w+)", enabled)
        assert pools(unit.replace("%i", each) for each in instances) == named

    for path in documented(deploy, r"kubectl apply -f deploy/(\S+)`"):
        objects = yaml.safe_load_all((deploy / path).read_text())
        made = [each["spec"] for each in objects if each["kind"] == "Deployment"]
        assert {each["replicas"] for each in made} == {1}
        held = [each["template"]["spec"]["containers"][0]["args"] for each in made]
        assert pools(", ".join(args) for args in held) == named


def test_the_servers_units_listen_on_loopback_and_no_unit_runs_as_root(deploy):
    units = sorted((deploy / "systemd").glob("*.service"))
    assert len(units) == 3
    for path in units:
        unit = configparser.ConfigParser(interpolation=None)
        unit.optionxform = str
        unit.read(path)
        service = unit["Service"]
        assert (service["User"], service["NoNewPrivileges"]) == ("temper", "true")
        if " server " in service["ExecStart"]:
            assert "--host 127.0.0.1" in service["ExecStart"]


def test_workers_find_temper_where_images_and_units_put_it(deploy):
    from flows.serve import pull_folder

    for path in (*deploy.glob("images/Containerfile.*"), *deploy.glob("systemd/*.service")):
        assert pull_folder() in path.read_text()
