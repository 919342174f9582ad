# A REST API with all that stands around one, as people write it for AWS, with an unmodified provider.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "package" { type = string }
variable "rate" { default = 10 }
variable "greeting" { default = "hello" }

provider "aws" { region = "us-east-1" }

# --- the API, piece by piece ---------------------------------------------------------------------

resource "aws_api_gateway_rest_api" "cars" {
  name               = "tf-cars"
  description        = "cars"
  binary_media_types = ["image/*"]
  endpoint_configuration { types = ["REGIONAL"] }
  tags = { team = "front" }
}

resource "aws_api_gateway_resource" "cars" {
  rest_api_id = aws_api_gateway_rest_api.cars.id
  parent_id   = aws_api_gateway_rest_api.cars.root_resource_id
  path_part   = "cars"
}

resource "aws_api_gateway_resource" "car" {
  rest_api_id = aws_api_gateway_rest_api.cars.id
  parent_id   = aws_api_gateway_resource.cars.id
  path_part   = "{id}"
}

resource "aws_api_gateway_model" "car" {
  rest_api_id  = aws_api_gateway_rest_api.cars.id
  name         = "Car"
  content_type = "application/json"
  schema = jsonencode({
    "$schema"  = "http://json-schema.org/draft-04/schema#"
    type       = "object"
    required   = ["make"]
    properties = { make = { type = "string" } }
  })
}

resource "aws_api_gateway_request_validator" "all" {
  rest_api_id                 = aws_api_gateway_rest_api.cars.id
  name                        = "all"
  validate_request_body       = true
  validate_request_parameters = true
}

resource "aws_api_gateway_method" "post" {
  rest_api_id          = aws_api_gateway_rest_api.cars.id
  resource_id          = aws_api_gateway_resource.cars.id
  http_method          = "POST"
  authorization        = "NONE"
  api_key_required     = true
  request_validator_id = aws_api_gateway_request_validator.all.id
  request_models       = { "application/json" = aws_api_gateway_model.car.name }
  request_parameters   = { "method.request.querystring.dry" = false }
}

resource "aws_api_gateway_integration" "post" {
  rest_api_id       = aws_api_gateway_rest_api.cars.id
  resource_id       = aws_api_gateway_resource.cars.id
  http_method       = aws_api_gateway_method.post.http_method
  type              = "MOCK"
  request_templates = { "application/json" = jsonencode({ statusCode = 200 }) }
}

resource "aws_api_gateway_method_response" "ok" {
  rest_api_id         = aws_api_gateway_rest_api.cars.id
  resource_id         = aws_api_gateway_resource.cars.id
  http_method         = aws_api_gateway_method.post.http_method
  status_code         = "200"
  response_models     = { "application/json" = "Empty" }
  response_parameters = { "method.response.header.X-Greeting" = true }
}

resource "aws_api_gateway_integration_response" "ok" {
  rest_api_id         = aws_api_gateway_rest_api.cars.id
  resource_id         = aws_api_gateway_resource.cars.id
  http_method         = aws_api_gateway_method.post.http_method
  status_code         = aws_api_gateway_method_response.ok.status_code
  response_parameters = { "method.response.header.X-Greeting" = "'${var.greeting}'" }
  response_templates  = { "application/json" = jsonencode({ greeting = var.greeting }) }
  depends_on          = [aws_api_gateway_integration.post]
}

# --- a method behind an authorizer ---------------------------------------------------------------

resource "aws_iam_role" "function" {
  name = "tf-cars-function"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_lambda_function" "cars" {
  function_name    = "tf-cars"
  role             = aws_iam_role.function.arn
  runtime          = "python3.11"
  handler          = "index.handler"
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
}

resource "aws_lambda_permission" "gateway" {
  function_name = aws_lambda_function.cars.function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.cars.execution_arn}/*"
}

resource "aws_api_gateway_authorizer" "token" {
  rest_api_id                      = aws_api_gateway_rest_api.cars.id
  name                             = "token"
  type                             = "REQUEST"
  authorizer_uri                   = aws_lambda_function.cars.invoke_arn
  identity_source                  = "method.request.header.Authorization"
  authorizer_result_ttl_in_seconds = 0
}

resource "aws_api_gateway_method" "get" {
  rest_api_id        = aws_api_gateway_rest_api.cars.id
  resource_id        = aws_api_gateway_resource.car.id
  http_method        = "GET"
  authorization      = "CUSTOM"
  authorizer_id      = aws_api_gateway_authorizer.token.id
  request_parameters = { "method.request.path.id" = true }
}

resource "aws_api_gateway_integration" "get" {
  rest_api_id             = aws_api_gateway_rest_api.cars.id
  resource_id             = aws_api_gateway_resource.car.id
  http_method             = aws_api_gateway_method.get.http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = aws_lambda_function.cars.invoke_arn
  timeout_milliseconds    = 5000
}

resource "aws_api_gateway_gateway_response" "unauthorized" {
  rest_api_id         = aws_api_gateway_rest_api.cars.id
  response_type       = "UNAUTHORIZED"
  status_code         = "401"
  response_parameters = { "gatewayresponse.header.WWW-Authenticate" = "'Bearer'" }
  response_templates  = { "application/json" = "{\"message\":$context.error.messageString}" }
}

# --- what is deployed ----------------------------------------------------------------------------

resource "aws_api_gateway_deployment" "cars" {
  rest_api_id = aws_api_gateway_rest_api.cars.id
  triggers    = { greeting = var.greeting }
  lifecycle { create_before_destroy = true }
  depends_on = [
    aws_api_gateway_integration.get,
    aws_api_gateway_integration_response.ok,
    aws_api_gateway_gateway_response.unauthorized,
  ]
}

resource "aws_cloudwatch_log_group" "access" {
  name = "tf-cars-access"
}

resource "aws_api_gateway_stage" "prod" {
  rest_api_id   = aws_api_gateway_rest_api.cars.id
  deployment_id = aws_api_gateway_deployment.cars.id
  stage_name    = "prod"
  variables     = { greeting = var.greeting }
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format          = "$context.requestId $context.status"
  }
  tags       = { team = "front" }
  depends_on = [aws_api_gateway_account.this]
}

resource "aws_api_gateway_method_settings" "all" {
  rest_api_id = aws_api_gateway_rest_api.cars.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  method_path = "*/*"
  settings {
    metrics_enabled        = true
    logging_level          = "INFO"
    throttling_rate_limit  = 100
    throttling_burst_limit = 200
  }
}

resource "aws_iam_role" "logs" {
  name = "tf-cars-logs"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "apigateway.amazonaws.com" } }]
  })
}

resource "aws_api_gateway_account" "this" {
  cloudwatch_role_arn = aws_iam_role.logs.arn
}

# --- who may call how often ----------------------------------------------------------------------

resource "aws_api_gateway_api_key" "client" {
  name        = "tf-client"
  description = "a client"
  tags        = { team = "front" }
}

resource "aws_api_gateway_usage_plan" "gold" {
  name = "tf-gold"
  api_stages {
    api_id = aws_api_gateway_rest_api.cars.id
    stage  = aws_api_gateway_stage.prod.stage_name
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

resource "aws_api_gateway_usage_plan_key" "client" {
  key_id        = aws_api_gateway_api_key.client.id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.gold.id
}

# --- under a name of one's own -------------------------------------------------------------------

resource "aws_api_gateway_domain_name" "cars" {
  domain_name              = "cars.example.com"
  regional_certificate_arn = "arn:aws:acm:us-east-1:000000000000:certificate/12345678-1234-1234-1234-123456789012"
  security_policy          = "TLS_1_2"
  endpoint_configuration { types = ["REGIONAL"] }
}

resource "aws_api_gateway_base_path_mapping" "cars" {
  domain_name = aws_api_gateway_domain_name.cars.domain_name
  api_id      = aws_api_gateway_rest_api.cars.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  base_path   = "v1"
}

# --- an API from a description -------------------------------------------------------------------

resource "aws_api_gateway_rest_api" "described" {
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

resource "aws_api_gateway_deployment" "described" {
  rest_api_id = aws_api_gateway_rest_api.described.id
  triggers    = { body = sha1(aws_api_gateway_rest_api.described.body) }
  lifecycle { create_before_destroy = true }
}

resource "aws_api_gateway_stage" "described" {
  rest_api_id   = aws_api_gateway_rest_api.described.id
  deployment_id = aws_api_gateway_deployment.described.id
  stage_name    = "live"
}

output "api" { value = aws_api_gateway_rest_api.cars.id }
output "described" { value = aws_api_gateway_rest_api.described.id }
output "key" {
  value     = aws_api_gateway_api_key.client.value
  sensitive = true
}
