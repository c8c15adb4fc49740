"""The families on images, as published: how their blocks are proved right."""
