project = "tripleo-update-plugin"
copyright = "tripleo-update-plugin developers"
extensions = []
html_theme = "alabaster"
html_static_path: list[str] = []
exclude_patterns: list[str] = []
