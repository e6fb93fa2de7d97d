"""The SDK: :func:`connect` gives a client of a plane, in this process or elsewhere. It knows the API and no stage."""
