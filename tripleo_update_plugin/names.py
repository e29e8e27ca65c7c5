from tripleo_update_plugin.overcloud.model import is_safe_name, natural_key, naturally

__all__ = ["is_safe_name", "natural_key", "naturally"]
