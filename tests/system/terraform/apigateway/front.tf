# A REST API with all that stands around one, as people write it for AWS, with an unmodified provider.
variable "rate" { default = 10 }
variable "greeting" { default = "hello" }

# --- the API, piece by piece ---------------------------------------------------------------------

resource "aws_api_gateway_rest_api" "front_cars" {
  name               = "tf-front"
  description        = "cars"
  binary_media_types = ["image/*"]
  endpoint_configuration { types = ["REGIONAL"] }
  tags = { team = "front" }
}

resource "aws_api_gateway_resource" "front_cars" {
  rest_api_id = aws_api_gateway_rest_api.front_cars.id
  parent_id   = aws_api_gateway_rest_api.front_cars.root_resource_id
  path_part   = "cars"
}

resource "aws_api_gateway_resource" "front_car" {
  rest_api_id = aws_api_gateway_rest_api.front_cars.id
  parent_id   = aws_api_gateway_resource.front_cars.id
  path_part   = "{id}"
}

resource "aws_api_gateway_model" "front_car" {
  rest_api_id  = aws_api_gateway_rest_api.front_cars.id
  name         = "Car"
  content_type = "application/json"
  schema = jsonencode({
    "$schema"  = "http://json-schema.org/draft-04/schema#"
    type       = "object"
    required   = ["make"]
    properties = { make = { type = "string" } }
  })
}

resource "aws_api_gateway_request_validator" "front_all" {
  rest_api_id                 = aws_api_gateway_rest_api.front_cars.id
  name                        = "all"
  validate_request_body       = true
  validate_request_parameters = true
}

resource "aws_api_gateway_method" "front_post" {
  rest_api_id          = aws_api_gateway_rest_api.front_cars.id
  resource_id          = aws_api_gateway_resource.front_cars.id
  http_method          = "POST"
  authorization        = "NONE"
  api_key_required     = true
  request_validator_id = aws_api_gateway_request_validator.front_all.id
  request_models       = { "application/json" = aws_api_gateway_model.front_car.name }
  request_parameters   = { "method.request.querystring.dry" = false }
}

resource "aws_api_gateway_integration" "front_post" {
  rest_api_id       = aws_api_gateway_rest_api.front_cars.id
  resource_id       = aws_api_gateway_resource.front_cars.id
  http_method       = aws_api_gateway_method.front_post.http_method
  type              = "MOCK"
  request_templates = { "application/json" = jsonencode({ statusCode = 200 }) }
}

resource "aws_api_gateway_method_response" "front_ok" {
  rest_api_id         = aws_api_gateway_rest_api.front_cars.id
  resource_id         = aws_api_gateway_resource.front_cars.id
  http_method         = aws_api_gateway_method.front_post.http_method
  status_code         = "200"
  response_models     = { "application/json" = "Empty" }
  response_parameters = { "method.response.header.X-Greeting" = true }
}

resource "aws_api_gateway_integration_response" "front_ok" {
  rest_api_id         = aws_api_gateway_rest_api.front_cars.id
  resource_id         = aws_api_gateway_resource.front_cars.id
  http_method         = aws_api_gateway_method.front_post.http_method
  status_code         = aws_api_gateway_method_response.front_ok.status_code
  response_parameters = { "method.response.header.X-Greeting" = "'${var.greeting}'" }
  response_templates  = { "application/json" = jsonencode({ greeting = var.greeting }) }
  depends_on          = [aws_api_gateway_integration.front_post]
}

# --- a method behind an authorizer ---------------------------------------------------------------

resource "aws_iam_role" "front_function" {
  name = "tf-front-function"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_lambda_function" "front_cars" {
  function_name    = "tf-front"
  role             = aws_iam_role.front_function.arn
  runtime          = "python3.11"
  handler          = "index.handler"
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
}

resource "aws_lambda_permission" "front_gateway" {
  function_name = aws_lambda_function.front_cars.function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.front_cars.execution_arn}/*"
}

resource "aws_api_gateway_authorizer" "front_token" {
  rest_api_id                      = aws_api_gateway_rest_api.front_cars.id
  name                             = "token"
  type                             = "REQUEST"
  authorizer_uri                   = aws_lambda_function.front_cars.invoke_arn
  identity_source                  = "method.request.header.Authorization"
  authorizer_result_ttl_in_seconds = 0
}

resource "aws_api_gateway_method" "front_get" {
  rest_api_id        = aws_api_gateway_rest_api.front_cars.id
  resource_id        = aws_api_gateway_resource.front_car.id
  http_method        = "GET"
  authorization      = "CUSTOM"
  authorizer_id      = aws_api_gateway_authorizer.front_token.id
  request_parameters = { "method.request.path.id" = true }
}

resource "aws_api_gateway_integration" "front_get" {
  rest_api_id             = aws_api_gateway_rest_api.front_cars.id
  resource_id             = aws_api_gateway_resource.front_car.id
  http_method             = aws_api_gateway_method.front_get.http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = aws_lambda_function.front_cars.invoke_arn
  timeout_milliseconds    = 5000
}

resource "aws_api_gateway_gateway_response" "front_unauthorized" {
  rest_api_id         = aws_api_gateway_rest_api.front_cars.id
  response_type       = "UNAUTHORIZED"
  status_code         = "401"
  response_parameters = { "gatewayresponse.header.WWW-Authenticate" = "'Bearer'" }
  response_templates  = { "application/json" = "{\"message\":$context.error.messageString}" }
}

# --- what is deployed ----------------------------------------------------------------------------

resource "aws_api_gateway_deployment" "front_cars" {
  rest_api_id = aws_api_gateway_rest_api.front_cars.id
  triggers    = { greeting = var.greeting }
  lifecycle { create_before_destroy = true }
  depends_on = [
    aws_api_gateway_integration.front_get,
    aws_api_gateway_integration_response.front_ok,
    aws_api_gateway_gateway_response.front_unauthorized,
  ]
}

resource "aws_cloudwatch_log_group" "front_access" {
  name = "tf-front-access"
}

resource "aws_api_gateway_stage" "front_prod" {
  rest_api_id   = aws_api_gateway_rest_api.front_cars.id
  deployment_id = aws_api_gateway_deployment.front_cars.id
  stage_name    = "prod"
  variables     = { greeting = var.greeting }
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.front_access.arn
    format          = "$context.requestId $context.status"
  }
  tags       = { team = "front" }
  depends_on = [aws_api_gateway_account.front_this]
}

resource "aws_api_gateway_method_settings" "front_all" {
  rest_api_id = aws_api_gateway_rest_api.front_cars.id
  stage_name  = aws_api_gateway_stage.front_prod.stage_name
  method_path = "*/*"
  settings {
    metrics_enabled        = true
    logging_level          = "INFO"
    throttling_rate_limit  = 100
    throttling_burst_limit = 200
  }
}

resource "aws_iam_role" "front_logs" {
  name = "tf-front-logs"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "apigateway.amazonaws.com" } }]
  })
}

resource "aws_api_gateway_account" "front_this" {
  cloudwatch_role_arn = aws_iam_role.front_logs.arn
}

# --- who may call how often ----------------------------------------------------------------------

resource "aws_api_gateway_api_key" "front_client" {
  name        = "tf-client"
  description = "a client"
  tags        = { team = "front" }
}

resource "aws_api_gateway_usage_plan" "front_gold" {
  name = "tf-gold"
  api_stages {
    api_id = aws_api_gateway_rest_api.front_cars.id
    stage  = aws_api_gateway_stage.front_prod.stage_name
    throttle {
      path        = "/cars/POST"
      rate_limit  = var.rate
      burst_limit = 20
    }
  }
  throttle_settings {
    rate_limit  = var.rate
    burst_limit = 50
  }
  quota_settings {
    limit  = 1000
    period = "WEEK"
    offset = 1
  }
}

resource "aws_api_gateway_usage_plan_key" "front_client" {
  key_id        = aws_api_gateway_api_key.front_client.id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.front_gold.id
}

# --- under a name of one's own -------------------------------------------------------------------

resource "aws_api_gateway_domain_name" "front_cars" {
  domain_name              = "cars.example.com"
  regional_certificate_arn = "arn:aws:acm:us-east-1:000000000000:certificate/12345678-1234-1234-1234-123456789012"
  security_policy          = "TLS_1_2"
  endpoint_configuration { types = ["REGIONAL"] }
}

resource "aws_api_gateway_base_path_mapping" "front_cars" {
  domain_name = aws_api_gateway_domain_name.front_cars.domain_name
  api_id      = aws_api_gateway_rest_api.front_cars.id
  stage_name  = aws_api_gateway_stage.front_prod.stage_name
  base_path   = "v1"
}

# --- an API from a description -------------------------------------------------------------------

resource "aws_api_gateway_rest_api" "front_described" {
  name = "tf-described"
  endpoint_configuration { types = ["REGIONAL"] }
  body = jsonencode({
    openapi = "3.0.1"
    info    = { title = "tf-described", version = "1.0" }
    paths = {
      "/hello" = {
        get = {
          responses = { "200" = { description = "ok" } }
          "x-amazon-apigateway-integration" = {
            type             = "mock"
            requestTemplates = { "application/json" = "{\"statusCode\": 200}" }
            responses        = { default = { statusCode = "200", responseTemplates = { "application/json" = jsonencode({ greeting = var.greeting }) } } }
          }
        }
      }
    }
  })
}

resource "aws_api_gateway_deployment" "front_described" {
  rest_api_id = aws_api_gateway_rest_api.front_described.id
  triggers    = { body = sha1(aws_api_gateway_rest_api.front_described.body) }
  lifecycle { create_before_destroy = true }
}

resource "aws_api_gateway_stage" "front_described" {
  rest_api_id   = aws_api_gateway_rest_api.front_described.id
  deployment_id = aws_api_gateway_deployment.front_described.id
  stage_name    = "live"
}

output "api" { value = aws_api_gateway_rest_api.front_cars.id }
output "described" { value = aws_api_gateway_rest_api.front_described.id }
output "key" {
  value     = aws_api_gateway_api_key.front_client.value
  sensitive = true
}
