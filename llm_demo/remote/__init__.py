"""A server elsewhere that runs the models: how it is asked, what it tells, and what follows exactly from that."""
