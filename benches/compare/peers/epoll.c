/* The servers as a raw epoll loop: `epoll <mode> [bytes [path]]`.
 *
 * Level-triggered, one read per event, one send per answer; mode frames-coalesced sends the
 * answers to one read together, which is the work that a library can take off its user. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_BUFFER = 64 * 1024, BACKLOG = 4096, BATCH = 1024, TURN = 16 };

struct connection {
  int fd;
  uint32_t interest;
  size_t slot;       /* its place in the audience of a broadcast */
  char *partial;     /* the start of a frame whose end has not come yet */
  size_t partial_len;
  char *unsent;      /* bytes that the kernel has not taken yet */
  size_t unsent_off, unsent_len;
  uint64_t received; /* by a sink */
  size_t offset;     /* of a source in its chunk */
};

static int epoll;
static char input[2 * READ_BUFFER], output[2 * READ_BUFFER];
static size_t output_len;
static char *chunk;
static size_t chunk_len;
static struct connection **audience;
static size_t audience_len, audience_cap;
static struct connection *dead; /* freed after the batch, which may hold events for it */

/* Each returns 0, or -1 when the connection is to be closed. */
typedef int (*handler)(struct connection *, char *, size_t);

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void watch(struct connection *c, uint32_t interest) {
  if (c->interest == interest) return;
  struct epoll_event ev = {.events = interest, .data.ptr = c};
  if (epoll_ctl(epoll, c->interest ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &ev) < 0)
    die("epoll_ctl");
  c->interest = interest;
}

static int put(struct connection *c, const char *data, size_t len) {
  if (!c->unsent) {
    ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);
    if (n == (ssize_t)len) return 0;
    if (n < 0 && errno != EAGAIN) return -1;
    if (n > 0) data += n, len -= n;
  }
  char *grown = malloc(c->unsent_len + len);
  if (!grown) die("malloc");
  if (c->unsent) memcpy(grown, c->unsent + c->unsent_off, c->unsent_len);
  memcpy(grown + c->unsent_len, data, len);
  free(c->unsent);
  c->unsent = grown, c->unsent_off = 0, c->unsent_len += len;
  watch(c, EPOLLOUT); /* a client that does not read is not read from */
  return 0;
}

static int flush(struct connection *c) {
  ssize_t n = send(c->fd, c->unsent + c->unsent_off, c->unsent_len, MSG_NOSIGNAL);
  if (n < 0) return errno == EAGAIN ? 0 : -1;
  c->unsent_off += n, c->unsent_len -= n;
  if (c->unsent_len == 0) {
    free(c->unsent);
    c->unsent = NULL;
    watch(c, EPOLLIN);
  }
  return 0;
}

static int echo(struct connection *c, char *data, size_t len) { return put(c, data, len); }

static int later(struct connection *c, char *data, size_t len) {
  (void)c;
  memcpy(output + output_len, data, len);
  output_len += len;
  return 0;
}

static int each_frame(struct connection *c, char *data, size_t len, handler answer) {
  while (len >= 4) {
    uint32_t payload;
    memcpy(&payload, data, 4);
    size_t frame = 4 + (size_t)ntohl(payload);
    if (frame > READ_BUFFER) return -1;
    if (frame > len) break;
    if (answer(c, data, frame) < 0) return -1;
    data += frame, len -= frame;
  }
  if (len > 0) {
    c->partial = malloc(len);
    if (!c->partial) die("malloc");
    memcpy(c->partial, data, len);
    c->partial_len = len;
  }
  return 0;
}

static int frames(struct connection *c, char *data, size_t len) {
  return each_frame(c, data, len, echo);
}

static int frames_coalesced(struct connection *c, char *data, size_t len) {
  output_len = 0;
  if (each_frame(c, data, len, later) < 0) return -1;
  return output_len ? put(c, output, output_len) : 0;
}

static int sink(struct connection *c, char *data, size_t len) {
  (void)data;
  c->received += len;
  return 0;
}

static int broadcast(struct connection *c, char *data, size_t len) {
  (void)c;
  for (size_t i = 0; i < audience_len; i++) put(audience[i], data, len);
  return 0; /* a member that failed shows by an event of its own */
}

static int fill(struct connection *c) {
  for (int i = 0; i < TURN; i++) {
    ssize_t n = send(c->fd, chunk + c->offset, chunk_len - c->offset, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN ? 0 : -1;
    c->offset = (c->offset + n) % chunk_len;
  }
  return 0;
}

static int take(struct connection *c, handler handle) {
  size_t held = c->partial_len;
  if (held) {
    memcpy(input, c->partial, held);
    free(c->partial);
    c->partial = NULL, c->partial_len = 0;
  }
  ssize_t n = recv(c->fd, input + held, READ_BUFFER, 0);
  if (n < 0) return errno == EAGAIN ? 0 : -1;
  if (n == 0) {
    if (handle == sink) send(c->fd, &c->received, sizeof c->received, MSG_NOSIGNAL);
    return -1;
  }
  return handle(c, input, held + n);
}

static void drop(struct connection *c) {
  close(c->fd);
  free(c->partial);
  free(c->unsent);
  audience[c->slot] = audience[--audience_len];
  audience[c->slot]->slot = c->slot;
  c->fd = -1;
  c->unsent = (char *)dead;
  dead = c;
}

static void bury(void) {
  while (dead) {
    struct connection *next = (struct connection *)dead->unsent;
    free(dead);
    dead = next;
  }
}

static void accept_all(int listener, uint32_t interest) {
  int fd, one = 1;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct connection *c = calloc(1, sizeof *c);
    if (audience_len == audience_cap) {
      audience_cap = audience_cap ? 2 * audience_cap : 64;
      audience = realloc(audience, audience_cap * sizeof *audience);
    }
    if (!c || !audience) die("malloc");
    c->fd = fd;
    c->slot = audience_len;
    audience[audience_len++] = c;
    watch(c, interest);
  }
}

static int listen_anywhere(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (void *)&address, len) < 0 || listen(fd, BACKLOG) < 0) die("listen");
  getsockname(fd, (void *)&address, &len);
  printf("LISTENING %d\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

static int listen_on(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) die("path");
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (void *)&address, sizeof address) < 0 || listen(fd, BACKLOG) < 0)
    die("listen");
  printf("LISTENING %s\n", path);
  fflush(stdout);
  return fd;
}

static handler handler_of(const char *mode) {
  if (!strcmp(mode, "echo") || !strcmp(mode, "pipe")) return echo;
  if (!strcmp(mode, "frames")) return frames;
  if (!strcmp(mode, "frames-coalesced")) return frames_coalesced;
  if (!strcmp(mode, "sink")) return sink;
  if (!strcmp(mode, "broadcast")) return broadcast;
  if (!strcmp(mode, "source")) return NULL;
  fprintf(stderr, "unknown mode %s\n", mode);
  exit(1);
}

int main(int argc, char **argv) {
  handler handle = handler_of(argc > 1 ? argv[1] : "");
  chunk_len = argc > 2 ? strtoul(argv[2], NULL, 10) : READ_BUFFER;
  chunk = memset(malloc(chunk_len), 'x', chunk_len);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  int listener = argc > 3 ? listen_on(argv[3]) : listen_anywhere();
  struct epoll_event batch[BATCH];
  struct epoll_event on_listener = {.events = EPOLLIN, .data.ptr = &listener};
  struct epoll_event on_stdin = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &on_listener);
  epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &on_stdin);
  for (;;) {
    int n = epoll_wait(epoll, batch, BATCH, -1);
    for (int i = 0; i < n; i++) {
      struct connection *c = batch[i].data.ptr;
      if (!c) return 0; /* the parent closed stdin */
      if ((void *)c == &listener) {
        accept_all(listener, handle ? EPOLLIN : EPOLLOUT);
        continue;
      }
      if (c->fd < 0) continue;
      int done = !handle ? fill(c) : c->unsent ? flush(c) : take(c, handle);
      if (done < 0) drop(c);
    }
    bury();
  }
}
