/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tmemd.c - the daemon's life: start, signals, reading the configuration again,
 * end.
 *
 * In the foreground, always: a service manager restarts it, starts it on the
 * first connection, and keeps its leases meanwhile (fdstore.c).
 */
#include "tmemd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "clock.h"
#include "conversation.h"
#include "fdstore.h"
#include "listener.h"
#include "loan.h"
#include "peer.h"
#include "resident.h"
#include "sandbox.h"
#include "serve.h"
#include "steer.h"
#include "tenant.h"

/* Exit codes. */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1, /* understood, and not possible */
	EXIT_USAGE = 2	 /* options or configuration make no sense */
};

/** struct run - what main() has beside the daemon. */
struct run {
	struct tmemd d;
	struct tmemd_listener listener;
	struct tmemd_sandbox sandbox;
	struct tmem_logger logger; /* into d.log */
};

/* ---- Signals ------------------------------------------------------------- */

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *si,
		   void *ctx)
{
	struct tmemd *d = ctx;

	(void)source;
	tmemd_log_say(&d->log, TMEM_LOG_INFO, "stopping",
		      TMEMD_FIELDS(TMEMD_UINT("signal", si->ssi_signo)));
	(void)sd_notify(0, "STOPPING=1");
	return sd_event_exit(d->event, EXIT_DONE);
}

static void notify_reloading(void)
{
	char state[64];

	(void)snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%llu",
		       (unsigned long long)(tmem_clock_ns() / TMEM_NS_PER_US));
	(void)sd_notify(0, state);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *si,
		     void *ctx)
{
	struct run *r = ctx;
	struct tmemd *d = &r->d;
	struct tmemd_config *config;

	(void)source;
	(void)si;
	notify_reloading();
	if (!tmemd_config_reread(d->config, &r->logger, &config)) {
		tmemd_steer_apply(d, config);
		tmemd_log_say(&d->log, TMEM_LOG_INFO, "configuration read",
			      TMEMD_FIELDS(TMEMD_SIZE("budget",
						      config->budget_bytes)));
	}
	(void)sd_notify(0, "READY=1");
	return 0;
}

static int block_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	return sigprocmask(SIG_BLOCK, &set, NULL) ? -errno : 0;
}

/* Before whatever else is to be done: of a thousand clients that have just died,
 * nobody needs to be served. */
static int listen_stop(struct tmemd *d, int sig)
{
	sd_event_source *source;
	int err = sd_event_add_signal(d->event, &source, sig, on_stop, d);

	if (err < 0)
		return err;
	(void)sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IMPORTANT);
	err = sd_event_source_set_floating(source, 1);
	(void)sd_event_source_unref(source);
	return err;
}

static int listen_signals(struct run *r)
{
	sd_event *e = r->d.event;
	int err = block_signals();

	if (!err)
		err = listen_stop(&r->d, SIGTERM);
	if (err >= 0)
		err = listen_stop(&r->d, SIGINT);
	if (err >= 0)
		err = sd_event_add_signal(e, NULL, SIGHUP, on_reload, r);
	return err < 0 ? err : 0;
}

/* ---- Start --------------------------------------------------------------- */

/* Three descriptors a session, and some of our own. */
static void raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* What a returning memfd is compared with: all of them live on one device. */
static int find_memfd_device(struct tmemd *d)
{
	struct stat st;
	int fd = memfd_create("tmem-device", MFD_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : 0;
	d->memfd_dev = st.st_dev;
	(void)close(fd);
	return err;
}

static int init_daemon(struct run *r)
{
	struct tmemd *d = &r->d;
	int err;

	d->arbiter.policy = d->config->policy;
	d->started_ns = tmem_clock_ns();
	d->cpus = (uint64_t)sysconf(_SC_NPROCESSORS_CONF);
	if (getrandom(&d->number, sizeof(d->number), GRND_NONBLOCK) < 0)
		d->number = d->started_ns ^ (uint64_t)getpid() << 32;
	tmemd_margin_init(&d->margin, "", &r->logger);
	tmemd_host_init(&d->pressure.host, &r->logger);
	tmemd_psi_init(&d->psi);
	err = tmemd_backing_init(&d->backing);
	if (!err)
		err = find_memfd_device(d);
	if (!err)
		err = sd_event_new(&d->event);
	if (err >= 0)
		err = listen_signals(r);
	if (!err)
		err = tmemd_endings_init(&d->endings, d->event);
	if (err >= 0)
		err = tmemd_arbiter_room(&d->arbiter, 1);
	if (!err)
		err = tmemd_serve_init(d);
	if (!err)
		err = tmemd_pressure_init(d, tmemd_serve_follow);
	if (!err)
		err = tmemd_recorder_init(d);
	return err < 0 ? err : 0;
}

static int start_listening(struct run *r)
{
	int inherited, err;

	tmemd_fdstore_start(&r->d, tmemd_tenant_restore, &inherited);
	err = inherited >= 0
		      ? tmemd_listener_inherit(&r->listener, inherited,
					       &r->logger)
		      : tmemd_listener_bind(&r->listener, r->d.config->socket,
					    &r->logger);
	return err ? err : tmemd_conversation_start(&r->d, r->listener.fd);
}

static int enter_sandbox(struct run *r)
{
	/* What it reads of its cgroup is open already. */
	struct tmemd_sandbox_opts opts = {
		.socket = r->listener.path[0] ? r->listener.path : NULL,
		.config = r->d.config->config,
	};

	return r->d.config->sandbox
		       ? tmemd_sandbox_enter(&r->sandbox, &opts, &r->logger)
		       : 0;
}

static int run(struct run *r)
{
	int err = init_daemon(r), code;
	const char *memory;

	if (err) {
		tmem_logger_say(&r->logger, TMEM_LOG_ERR, "cannot start: %s",
				strerror(-err));
		return EXIT_FAILED;
	}
	memory = tmemd_resident_lock();
	if (start_listening(r) || enter_sandbox(r))
		return EXIT_FAILED;
	tmemd_log_say(
		&r->d.log, TMEM_LOG_INFO, "ready",
		TMEMD_FIELDS(TMEMD_TEXT("socket", r->listener.path[0]
							  ? r->listener.path
							  : "inherited"),
			     TMEMD_SIZE("budget", r->d.ledger.budget_bytes),
			     TMEMD_TEXT("memory", memory)));
	(void)sd_notify(0, "READY=1");
	code = sd_event_loop(r->d.event);
	return code < 0 ? EXIT_FAILED : code;
}

static void finish(struct run *r)
{
	struct tmemd *d = &r->d;

	/* First, so that nobody finds a socket without anybody behind it. */
	d->listener = sd_event_source_disable_unref(d->listener);
	tmemd_listener_finish(&r->listener);
	tmemd_tenants_finish(d);
	tmemd_peers_finish(d);
	tmemd_endings_finish(&d->endings);
	tmemd_recorder_finish(d);
	tmemd_serve_finish(d);
	tmemd_pressure_finish(d);
	tmemd_psi_finish(&d->psi);
	tmemd_backing_finish(&d->backing);
	tmemd_margin_finish(&d->margin);
	tmemd_ledger_finish(&d->ledger);
	tmemd_arbiter_finish(&d->arbiter);
	tmemd_sandbox_finish(&r->sandbox);
	(void)sd_event_unref(d->event);
	tmemd_config_destroy(d->config);
}

int main(int argc, char **argv)
{
	struct run r = { .listener.fd = -1 };
	int code;

	r.d.log.fd = STDERR_FILENO;
	r.d.log.level = TMEM_LOG_INFO;
	r.logger.fn = tmemd_log_line;
	r.logger.ctx = &r.d.log;
	TAILQ_INIT(&r.d.newcomers);
	TAILQ_INIT(&r.d.peers);
	TAILQ_INIT(&r.d.tenants);
	TAILQ_INIT(&r.d.endings.list);
	tmemd_ledger_init(&r.d.ledger);
	switch (tmemd_config_create(argc, argv, TMEM_VERSION, &r.logger,
				    &r.d.config)) {
	case 0:
		break;
	case 1:
		return EXIT_DONE;
	default:
		return EXIT_USAGE;
	}
	r.d.log.level = r.d.config->log_level;
	raise_files();
	code = run(&r);
	finish(&r);
	return code;
}
