"""Why a model says what it says: contributions of features to a score, and the reasons that people are told."""
