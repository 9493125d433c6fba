/* The servers on libuv: `libuv <mode> [bytes [path]]`.
 *
 * An answer is tried at once and queued if the kernel does not take it, as libuv's users and Node
 * do: uv_try_write, then uv_write for the rest. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { READ_BUFFER = 64 * 1024, BACKLOG = 4096, HIGH_WATER = 64 * 1024, TURN = 16 };

union handle {
  uv_handle_t handle;
  uv_stream_t stream;
  uv_tcp_t tcp;
  uv_pipe_t pipe;
};

struct connection {
  union handle socket;
  struct connection *previous, *next; /* the audience of a broadcast */
  char *partial;                      /* the start of a frame whose end has not come yet */
  size_t partial_len;
  uint64_t received; /* by a sink */
};

struct late_write {
  uv_write_t request;
  char data[];
};

static const char *mode;
static char *chunk;
static size_t chunk_len;
static char input[2 * READ_BUFFER];
static struct connection *audience;

static void closed(uv_handle_t *handle) {
  struct connection *c = (struct connection *)handle;
  if (c->previous) c->previous->next = c->next;
  if (c->next) c->next->previous = c->previous;
  if (audience == c) audience = c->next;
  free(c->partial);
  free(c);
}

static void hang_up(struct connection *c) {
  if (!uv_is_closing(&c->socket.handle)) uv_close(&c->socket.handle, closed);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  struct connection *c = (struct connection *)handle;
  (void)suggested;
  *buf = uv_buf_init(input + c->partial_len, READ_BUFFER);
}

static void on_late_write(uv_write_t *request, int status) {
  uv_stream_t *stream = request->handle;
  free(request);
  if (status < 0) return hang_up((struct connection *)stream);
  if (uv_stream_get_write_queue_size(stream) == 0 && !uv_is_closing((uv_handle_t *)stream))
    uv_read_start(stream, allocate, on_read);
}

static void put(struct connection *c, const char *data, size_t len) {
  uv_stream_t *stream = &c->socket.stream;
  if (uv_is_closing((uv_handle_t *)stream)) return;
  uv_buf_t buf = uv_buf_init((char *)data, len);
  int n = uv_try_write(stream, &buf, 1);
  if (n == (int)len) return;
  if (n < 0 && n != UV_EAGAIN) return hang_up(c);
  if (n > 0) data += n, len -= n;
  struct late_write *late = malloc(sizeof *late + len);
  if (!late) abort();
  memcpy(late->data, data, len);
  buf = uv_buf_init(late->data, len);
  uv_write(&late->request, stream, &buf, 1, on_late_write);
  /* A client that does not read is not read from. */
  if (uv_stream_get_write_queue_size(stream) > HIGH_WATER) uv_read_stop(stream);
}

static void on_chunk_written(uv_write_t *request, int status);

static void fill(uv_stream_t *stream) {
  size_t sent = 0;
  for (int i = 0; i < TURN; i++) {
    uv_buf_t buf = uv_buf_init(chunk, chunk_len);
    int n = uv_try_write(stream, &buf, 1);
    if (n < 0 && n != UV_EAGAIN) return hang_up((struct connection *)stream);
    if (n != (int)chunk_len) {
      sent = n > 0 ? n : 0;
      break;
    }
  }
  uv_write_t *request = malloc(sizeof *request);
  if (!request) abort();
  uv_buf_t rest = uv_buf_init(chunk + sent, chunk_len - sent);
  uv_write(request, stream, &rest, 1, on_chunk_written);
}

static void on_chunk_written(uv_write_t *request, int status) {
  uv_stream_t *stream = request->handle;
  free(request);
  if (status < 0) return hang_up((struct connection *)stream);
  fill(stream);
}

static void frames(struct connection *c, char *data, size_t len) {
  free(c->partial);
  c->partial = NULL, c->partial_len = 0;
  while (len >= 4) {
    uint32_t payload;
    memcpy(&payload, data, 4);
    size_t frame = 4 + (size_t)ntohl(payload);
    if (frame > READ_BUFFER) return hang_up(c);
    if (frame > len) break;
    put(c, data, frame);
    data += frame, len -= frame;
  }
  if (len > 0) {
    c->partial = malloc(len);
    if (!c->partial) abort();
    memcpy(c->partial, data, len);
    c->partial_len = len;
  }
}

static void on_shutdown(uv_shutdown_t *request, int status) {
  struct connection *c = (struct connection *)request->handle;
  (void)status;
  free(request);
  hang_up(c);
}

static void on_end(struct connection *c) {
  if (!strcmp(mode, "sink")) put(c, (char *)&c->received, sizeof c->received);
  if (uv_stream_get_write_queue_size(&c->socket.stream) == 0) return hang_up(c);
  uv_shutdown_t *request = malloc(sizeof *request);
  if (!request) abort();
  if (uv_shutdown(request, &c->socket.stream, on_shutdown) < 0) {
    free(request);
    hang_up(c);
  }
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  struct connection *c = (struct connection *)stream;
  if (n == UV_EOF) return on_end(c);
  if (n < 0) return hang_up(c);
  switch (mode[0]) {
    case 'e': case 'p': /* echo, pipe */
      return put(c, buf->base, n);
    case 'f': /* frames: what was held back goes before what came */
      if (c->partial_len) memcpy(input, c->partial, c->partial_len);
      return frames(c, input, c->partial_len + n);
    case 's': /* sink, and what a client might send to a source */
      c->received += n;
      return;
    case 'b': /* broadcast */
      for (struct connection *member = audience; member; member = member->next)
        put(member, buf->base, n);
      return;
  }
}

static void on_connection(uv_stream_t *listener, int status) {
  struct connection *c = calloc(1, sizeof *c);
  if (status < 0 || !c) abort();
  int is_tcp = listener->type == UV_TCP;
  if (is_tcp) uv_tcp_init(listener->loop, &c->socket.tcp);
  else uv_pipe_init(listener->loop, &c->socket.pipe, 0);
  if (uv_accept(listener, &c->socket.stream) < 0) abort();
  if (is_tcp) uv_tcp_nodelay(&c->socket.tcp, 1);
  c->next = audience;
  if (audience) audience->previous = c;
  audience = c;
  uv_read_start(&c->socket.stream, allocate, on_read);
  if (!strcmp(mode, "source")) fill(&c->socket.stream);
}

static void on_timer(uv_timer_t *timer) { (void)timer; }

static int timers(uv_loop_t *loop, size_t count) {
  uv_timer_t *armed = malloc(count * sizeof *armed);
  if (!armed) abort();
  uint64_t start = uv_hrtime();
  for (size_t i = 0; i < count; i++) {
    uv_timer_init(loop, &armed[i]);
    uv_timer_start(&armed[i], on_timer, 60000 + i * 7919 % 60000, 0);
  }
  for (size_t i = 0; i < count; i++) uv_timer_stop(&armed[i]);
  printf("TIMERS %f\n", (double)(uv_hrtime() - start) / count);
  return 0;
}

static void on_stdin(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  (void)stream, (void)buf;
  if (n < 0) exit(0); /* the parent closed stdin */
}

static void allocate_for_stdin(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  static char ignored[64];
  (void)handle, (void)suggested;
  *buf = uv_buf_init(ignored, sizeof ignored);
}

static void listen_anywhere(uv_loop_t *loop, union handle *listener) {
  struct sockaddr_in address;
  int len = sizeof address;
  uv_tcp_init(loop, &listener->tcp);
  uv_ip4_addr("127.0.0.1", 0, &address);
  if (uv_tcp_bind(&listener->tcp, (struct sockaddr *)&address, 0) < 0) abort();
  if (uv_listen(&listener->stream, BACKLOG, on_connection) < 0) abort();
  uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&address, &len);
  printf("LISTENING %d\n", ntohs(address.sin_port));
}

static void listen_on(uv_loop_t *loop, union handle *listener, const char *path) {
  uv_pipe_init(loop, &listener->pipe, 0);
  if (uv_pipe_bind(&listener->pipe, path) < 0) abort();
  if (uv_listen(&listener->stream, BACKLOG, on_connection) < 0) abort();
  printf("LISTENING %s\n", path);
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN); /* libuv leaves it to the program; a client that is gone is an error of the write */
  uv_loop_t *loop = uv_default_loop();
  mode = argc > 1 ? argv[1] : "";
  chunk_len = argc > 2 ? strtoul(argv[2], NULL, 10) : READ_BUFFER;
  if (!strcmp(mode, "version")) return puts(uv_version_string()) < 0;
  if (!strcmp(mode, "timers")) return timers(loop, chunk_len);
  chunk = memset(malloc(chunk_len), 'x', chunk_len);

  union handle listener;
  if (argc > 3) listen_on(loop, &listener, argv[3]);
  else listen_anywhere(loop, &listener);
  fflush(stdout);

  uv_pipe_t input_pipe;
  uv_pipe_init(loop, &input_pipe, 0);
  uv_pipe_open(&input_pipe, 0);
  uv_read_start((uv_stream_t *)&input_pipe, allocate_for_stdin, on_stdin);
  return uv_run(loop, UV_RUN_DEFAULT);
}
