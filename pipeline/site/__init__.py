"""A suite's results as pages that open from disk: `unrolled site` (`pipeline.commands.site`)."""
