from tripleo_update_plugin.overcloud.model import Cluster, Facts

__all__ = ["Cluster", "Facts"]
