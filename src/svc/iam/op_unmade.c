/* Lists of what nobody can make here: MFA devices, SSH keys, signing and server certificates, credentials of services, SAML
 * providers. They are empty, and are there because who tears down a user or an account asks for them first.
 *
 * Layer: svc. Thread: the call's loop. */
#include "svc/iam/iam_int.h"

static enum err none(struct call *call, struct iam_page *page)
{
    size_t from;
    return iam_page_slice(call, page, NULL, 0, 0, &from);
}

static enum err none_of_user(struct call *call, struct str user_name, struct iam_page *page)
{
    struct iam_entity *e;
    TRY(iam_get_user_or_self(call, user_name, &e));
    return none(call, page);
}

enum err iam_list_mfa_devices(struct call *call, const struct iam_list_mfa_devices_input *in,
                              struct iam_list_mfa_devices_output *out)
{
    static struct iam_mfa_device nothing;
    out->mfa_devices.v = &nothing;
    return none_of_user(call, in->user_name, IAM_PAGE(call, in, out, STR("")));
}

enum err iam_list_virtual_mfa_devices(struct call *call,
                                      const struct iam_list_virtual_mfa_devices_input *in,
                                      struct iam_list_virtual_mfa_devices_output *out)
{
    static struct iam_virtual_mfa_device nothing;
    out->virtual_mfa_devices.v = &nothing;
    return none(call, IAM_PAGE(call, in, out, STR("")));
}

enum err iam_list_ssh_public_keys(struct call *call,
                                  const struct iam_list_ssh_public_keys_input *in,
                                  struct iam_list_ssh_public_keys_output *out)
{
    static struct iam_ssh_public_key_metadata nothing;
    out->ssh_public_keys.v = &nothing;
    return none_of_user(call, in->user_name, IAM_PAGE(call, in, out, STR("")));
}

enum err iam_list_signing_certificates(struct call *call,
                                       const struct iam_list_signing_certificates_input *in,
                                       struct iam_list_signing_certificates_output *out)
{
    static struct iam_signing_certificate nothing;
    out->certificates.v = &nothing;
    return none_of_user(call, in->user_name, IAM_PAGE(call, in, out, STR("")));
}

enum err
iam_list_service_specific_credentials(struct call *call,
                                      const struct iam_list_service_specific_credentials_input *in,
                                      struct iam_list_service_specific_credentials_output *out)
{
    static struct iam_service_specific_credential_metadata nothing;
    struct iam_page *page = IAM_PAGE(call, in, out, STR(""));
    out->service_specific_credentials.v = &nothing;
    return in->all_users ? none(call, page) : none_of_user(call, in->user_name, page);
}

enum err iam_list_server_certificates(struct call *call,
                                      const struct iam_list_server_certificates_input *in,
                                      struct iam_list_server_certificates_output *out)
{
    static struct iam_server_certificate_metadata nothing;
    out->server_certificate_metadata_list.v = &nothing;
    return none(call, IAM_PAGE(call, in, out, STR("")));
}

enum err iam_list_saml_providers(struct call *call, const struct iam_list_saml_providers_input *in,
                                 struct iam_list_saml_providers_output *out)
{
    static struct iam_saml_provider_list_entry nothing;
    out->saml_provider_list.v = &nothing;
    return ERR_OK;
}
