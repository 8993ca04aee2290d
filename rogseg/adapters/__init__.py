"""Networks from elsewhere, brought under the same attacks."""
