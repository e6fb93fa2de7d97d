"""Who may do what: the Cedar schema and policies, the decision point, explanations and policy tests. No I/O."""
