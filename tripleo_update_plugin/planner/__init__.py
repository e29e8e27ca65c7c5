"""How is the plan found?"""
