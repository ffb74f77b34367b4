"""Hypercorn on an open port: small subclasses of its own classes, each with the reason beside it.

As it comes, Hypercorn 0.18 on Trio can be ended by one malformed request, hung for ever by one client that stops
reading, filled by one message, and kept busy by one stream of frames that mean nothing. What is mended here, override
by override (`tests/server/test_hardening.py` shows for each what fails without it, so that an upgrade shows which can
go):

- whatever goes wrong in a connection ends that connection, and never its neighbours (`run`, `__aexit__`);
- no send lasts longer than `send_timeout_s`: then the socket is closed and the connection's tasks are cancelled
  (`protocol_send`);
- a connection that is over ends its idle clock (`_read_data`), and with its handler ends its pings, and the tasks
  that wait to hand that handler something (`app_send`);
- the end of an HTTP answer is not cut short by the handler's own end (`stream_send`), nor by a request that was still
  on its way when it was answered (`_linger`), and a client that waits for one is not taken for gone (`_read`);
- a request's head has so many lines and bytes and no more (`ShortHeads`), and its body's pieces, however small, are
  paid for (`HardHTTPStream`), as are requests (`_create_stream`);
- a message is bounded while it arrives, by size and by number of fragments (`Bounded`), and every frame is paid for,
  with a checkpoint, until nobody listens (`_handle_events`);
- no compression (`_plain`), and no HTTP/2 by the back door (`_check_protocol`).
"""
