#include "template/sam_int.h"
enum err sam_embedded_connectors(struct sam *s)
{
    return ERR_OK;
}
enum err sam_connect(struct sam *s, const struct json *resource)
{
    return sam_refuse(s, "AWS::Serverless::Connector is not supported.");
}
