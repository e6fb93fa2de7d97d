"""Where the root key is kept. One file per key store; ``contract.py`` says what one must do."""
