# Forwards to ./run: make demo, make test, make bench ARGS="--json ring", …
.PHONY: demo test check bench serve kv clean help
demo test check bench serve kv clean help:
	@./run $@ $(ARGS)
