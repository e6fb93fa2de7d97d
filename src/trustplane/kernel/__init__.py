"""The ground floor: who, may they, what happened, under which key."""
