"""A study: commands in an order, and a page that is made of their records alone."""
