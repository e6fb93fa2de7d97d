"""Who: principals, roles and bindings, tokens, passwords, sessions."""
