

# Hearth's addition: what the copies of a saved process have in common goes before the function's hooks see it.
_run_functions_hooks = run_after_restore


def run_after_restore():
    import hearth_restored

    hearth_restored.renew()
    _run_functions_hooks()
