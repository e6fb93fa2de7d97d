"""What people own and use: devices, accounts, papers, places, records. One module per kind."""
