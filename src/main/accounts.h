/* `weir account` and what it asks: /_weir/accounts of the server that runs from the data folder.
 *
 *   GET  /_weir/accounts      lines "ID ACCESS_KEY", of those that were added
 *   POST /_weir/accounts/ID   adds one: such a line; 409 it is there, 400 no id, 507 too many
 *
 * Both want the token that follows from the first root key. The secret of an account's root key follows
 * from that key, too (core/account.h), so none is sent: the command line makes it, and writes it into
 * <data>/root-credentials-ID (mode 0600), never to a terminal.
 *
 * Layer: main. Thread: the connection's loop; the command line's own. */
#ifndef WEIR_MAIN_ACCOUNTS_H
#define WEIR_MAIN_ACCOUNTS_H

#include "core/core.h"

#define ACCOUNTS_PATH "/_weir/accounts"

/* Registers the route. `token`: who brings it may; lives as long as the process. */
void accounts_route(struct core *core, const char *token);

/* Exit codes. `data_dir` is that of a running server. */
int accounts_add(const char *data_dir, const char *id);
int accounts_list(const char *data_dir);
/* The absolute path of an account's credentials, which are written anew where they are missing. Says why
 * not. */
bool accounts_credentials(const char *data_dir, const char *id, char *path, size_t size);

#endif
