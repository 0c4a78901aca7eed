"""A proxy before the embedded AWS that makes calls fail by rules, so that failures can be rehearsed.

    python -m penstock.local.faults --state DIR --aws DIR --airflow N --tasks N --desk N --control N [--file FILE]

    rules, file          what a file of rules may say; reading it, with positions
    services, routes     which operation of which service a request calls, by botocore's models
    calls                the same of one request
    injector             which rule takes a call, and how often each call has been made
    answers              AWS's errors, in the protocol of each service
    link → exchange      one side of a connection; one request and its answer, with or without a fault
    proxy → __main__     one listener for Airflow, one for the tasks' containers, one for the desk
    control, client      counts and rules over HTTP; the client for tests
    place                where a running proxy listens; imports nothing of the above

h11 reads and writes HTTP, and nothing above it is used: servers and clients of HTTP answer, retry and close
connections by themselves, which is what faults are about.

A request passes with its Host header, so that its signature holds: the embedded AWS verifies what was signed, whichever
port it came by. The proxy shows the embedded AWS's own certificate, which names no port either.
"""
