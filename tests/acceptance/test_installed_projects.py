"""The installed wheel in a user's project: folders and modules with the same names as ours, and Prefect's loader."""

import pytest

from tests.acceptance.installed import FOREIGN_CODE_RAN


def put_foreign_folders(place, with_init):
    """The user's own flows/, tasks/ and schemas/, which say when they are imported."""
    for name in ("flows", "tasks", "schemas"):
        place.write(f"{name}/mine.py", f"VALUE = '{name}'")
        place.write(f"{name}/build.py", f"raise SystemExit('{FOREIGN_CODE_RAN}')")
        if with_init:
            place.write(f"{name}/__init__.py", f"import sys; print('{FOREIGN_CODE_RAN}', file=sys.stderr)")


@pytest.mark.parametrize("with_init", [True, False], ids=["packages", "folders"])
def test_the_command_builds_beside_foreign_flows_tasks_and_schemas(place, with_init):
    put_foreign_folders(place, with_init)
    place.command()
    (place.folder / "out/dataset_info.json").unlink()
    place.builds("python", "-m", "imagerecords", *["build", "--no-prefect", "--output_directory", "out", "--train_shards", "2"],
                 "--train_directory", place.data)  # fmt: skip


def test_the_command_and_its_workers_import_no_module_of_the_working_directory(place):
    for name in ("fsspec", "numpy", "pyarrow", "PIL", "json"):
        place.write(f"{name}.py", f"raise SystemExit('{FOREIGN_CODE_RAN}')")
    place.command()


def test_a_users_own_prefect_project_keeps_its_imports(place):
    """Prefect's loader, the user's folders without __init__: the usual layout."""
    put_foreign_folders(place, with_init=False)
    place.write(
        "flows/etl.py",
        """
        from prefect import flow
        from tasks.mine import VALUE

        @flow
        def etl() -> str:
            return VALUE
        """,
    )
    code = """
    from prefect.flows import load_flow_from_entrypoint
    flow = load_flow_from_entrypoint("flows/etl.py:etl", use_placeholder_flow=False)
    print(flow.name, flow.fn())
    """
    ran = place.run("python", place.write("load.py", code))
    assert ran.stdout.strip() == "etl tasks", ran.stderr


@pytest.mark.parametrize("with_init", [True, False], ids=["packages", "folders"])
def test_the_deployments_entrypoint_loads_from_a_project_of_the_users(place, with_init):
    put_foreign_folders(place, with_init)
    code = """
    from prefect.flows import load_flow_from_entrypoint
    entrypoint = "imagerecords.flows.build.build_image_dataset"
    print(load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False).name)
    import flows.mine, tasks.mine, schemas.mine
    print(flows.mine.VALUE, tasks.mine.VALUE, schemas.mine.VALUE)
    """
    ran = place.run("python", place.write("load.py", code))
    assert ran.stdout.splitlines() == ["build-image-dataset", "flows tasks schemas"], ran.stderr
