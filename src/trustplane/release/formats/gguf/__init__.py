"""GGUF: the weights of language models, as llama.cpp and its kin read them."""
