def pytest_addoption(parser):
    parser.addoption("--update-scenarios", action="store_true", help="write plan.txt and workbook.yaml anew")
