from tripleo_update_plugin.overcloud import outputs


def test_images_of_containers_by_role():
    steps = {
        "step_1": {"mysql_bootstrap": {"image": "r/mariadb:1", "command": ["x"]}},
        "step_4": {"keystone": {"image": "r/keystone:1"}, "odd": "text", "unnamed": {"net": "host"}},
        "step_5": None,
    }
    found = {"RoleData": {"Controller": {"docker_config": steps}, "Compute": None, "Ceph": {"docker_config": {}}}}
    assert outputs.images(found) == {
        "Controller": {"mysql_bootstrap": "r/mariadb:1", "keystone": "r/keystone:1"},
        "Compute": {},
        "Ceph": {},
    }
    assert outputs.images({}) == {}
