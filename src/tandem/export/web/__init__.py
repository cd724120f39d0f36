"""One HTML file that holds a model and runs it in the browser, without a network."""
