/* AWS::Serverless::Connector and the attribute Connectors: refused.
 * See sam_int.h. Layer: template. Thread: pure. */
#include "template/sam_int.h"

enum err sam_embedded_connectors(struct sam *s)
{
    JSON_EACH (s->resources, it) {
        s->id = it->key;
        if (SAM_GET(it, "Connectors"))
            TRY(sam_catch(s, sam_refuse(s, "The attribute Connectors is not supported.")));
    }
    return ERR_OK;
}

enum err sam_connect(struct sam *s, const struct json *resource)
{
    return sam_refuse(s, "AWS::Serverless::Connector is not supported.");
}
