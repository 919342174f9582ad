/* Which template, which stack. See deploy.h. Layer: cli. */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>

#include "cli/deploy.h"
#include "cli/file.h"

enum { NAME_MAX_CHARS = 128 };

enum err deploy_template(struct arena *a, const char *path, const char **ret_path)
{
    static const char *const names[] = {"template.yaml", "template.yml", "template.json"};
    enum file_kind kind = file_kind(path);
    if (kind == FILE_PLAIN) {
        *ret_path = path;
        return ERR_OK;
    }
    for (size_t i = 0; kind == FILE_FOLDER && i < ARRAY_LEN(names); i++) {
        size_t len = strlen(path);
        bool here = strcmp(path, ".") == 0 || strcmp(path, "./") == 0;
        struct str file = str_fmt(a, "%s%s%s", here ? "" : path,
                                  here || (len && path[len - 1] == '/') ? "" : "/", names[i]);
        if (!str_is_set(file))
            return ERR_NOMEM;
        if (file_kind(file.p) == FILE_PLAIN) {
            *ret_path = file.p;
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

/* Letters, digits and '-', a letter first. */
static enum err clean(struct arena *a, struct str text, struct str *ret_name)
{
    while (text.len && !isalpha((unsigned char)text.p[0]))
        text = str_sub(text, 1, SIZE_MAX);
    text = str_sub(text, 0, NAME_MAX_CHARS);
    char *p = arena_memdup(a, text.p ? text.p : "", text.len);
    if (!p)
        return ERR_NOMEM;
    for (size_t i = 0; i < text.len; i++)
        if (!isalnum((unsigned char)p[i]))
            p[i] = '-';
    *ret_name = str_n(p, text.len);
    return text.len ? ERR_OK : ERR_INVALID;
}

enum err deploy_name(struct arena *a, const char *template_path, struct str *ret_name)
{
    char full[PATH_MAX];
    struct str path = str_c(realpath(template_path, full) ? full : template_path);
    size_t slash = str_rfind(path, '/');
    struct str file = slash == SIZE_MAX ? path : str_sub(path, slash + 1, SIZE_MAX);
    struct str stem = str_sub(file, 0, str_rfind(file, '.'));
    if (!str_eq_c(stem, "template"))
        return clean(a, stem, ret_name);
    struct str folder = slash == SIZE_MAX ? STR("") : str_n(path.p, slash);
    slash = str_rfind(folder, '/');
    return clean(a, slash == SIZE_MAX ? folder : str_sub(folder, slash + 1, SIZE_MAX), ret_name);
}
