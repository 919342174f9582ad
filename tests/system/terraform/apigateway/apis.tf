# REST APIs as people write them for AWS, with an unmodified provider.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "package" { type = string }
variable "changed" { default = false }

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["apigateway.amazonaws.com", "lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "gateway" {
  name               = "tf-gateway"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_lambda_function" "cars" {
  function_name = "tf-cars"
  filename      = var.package
  handler       = "index.handler"
  runtime       = "python3.11"
  role          = aws_iam_role.gateway.arn
}

resource "aws_cloudwatch_log_group" "access" {
  name = "/tf/access"
}

resource "aws_api_gateway_rest_api" "cars" {
  name                     = var.changed ? "tf-cars-changed" : "tf-cars"
  description              = "cars"
  binary_media_types       = var.changed ? ["image/png", "text/csv"] : ["image/png"]
  minimum_compression_size = var.changed ? null : 1024
  endpoint_configuration {
    types = ["REGIONAL"]
  }
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = "execute-api:Invoke"
      Resource  = "*"
      Condition = { IpAddress = { "aws:SourceIp" = ["127.0.0.0/8", "10.0.0.0/8"] } }
    }]
  })
}

resource "aws_api_gateway_resource" "cars" {
  rest_api_id = aws_api_gateway_rest_api.cars.id
  parent_id   = aws_api_gateway_rest_api.cars.root_resource_id
  path_part   = var.changed ? "autos" : "cars"
}

resource "aws_api_gateway_resource" "car" {
  rest_api_id = aws_api_gateway_rest_api.cars.id
  parent_id   = aws_api_gateway_resource.cars.id
  path_part   = "{id}"
}

resource "aws_api_gateway_model" "car" {
  rest_api_id  = aws_api_gateway_rest_api.cars.id
  name         = "Car"
  description  = var.changed ? "a car, changed" : "a car"
  content_type = "application/json"
  schema = jsonencode({
    "$schema"  = "http://json-schema.org/draft-04/schema#"
    type       = "object"
    properties = { make = { type = "string" } }
    required   = ["make"]
  })
}

resource "aws_api_gateway_request_validator" "all" {
  rest_api_id                 = aws_api_gateway_rest_api.cars.id
  name                        = "all"
  validate_request_body       = true
  validate_request_parameters = var.changed
}

resource "aws_api_gateway_authorizer" "token" {
  rest_api_id                      = aws_api_gateway_rest_api.cars.id
  name                             = "token"
  authorizer_uri                   = aws_lambda_function.cars.invoke_arn
  authorizer_credentials           = aws_iam_role.gateway.arn
  authorizer_result_ttl_in_seconds = var.changed ? 60 : 300
}

resource "aws_api_gateway_method" "post" {
  rest_api_id          = aws_api_gateway_rest_api.cars.id
  resource_id          = aws_api_gateway_resource.cars.id
  http_method          = "POST"
  authorization        = "NONE"
  api_key_required     = var.changed
  request_validator_id = aws_api_gateway_request_validator.all.id
  request_models       = { "application/json" = aws_api_gateway_model.car.name }
  request_parameters   = var.changed ? { "method.request.header.A" = true } : { "method.request.header.A" = false, "method.request.querystring.q" = true }
}

resource "aws_api_gateway_method" "get" {
  rest_api_id        = aws_api_gateway_rest_api.cars.id
  resource_id        = aws_api_gateway_resource.car.id
  http_method        = "GET"
  authorization      = "CUSTOM"
  authorizer_id      = aws_api_gateway_authorizer.token.id
  request_parameters = { "method.request.path.id" = true }
}

resource "aws_api_gateway_method_response" "post" {
  rest_api_id         = aws_api_gateway_rest_api.cars.id
  resource_id         = aws_api_gateway_resource.cars.id
  http_method         = aws_api_gateway_method.post.http_method
  status_code         = "200"
  response_models     = { "application/json" = "Empty" }
  response_parameters = { "method.response.header.Access-Control-Allow-Origin" = var.changed }
}

resource "aws_api_gateway_integration" "post" {
  rest_api_id             = aws_api_gateway_rest_api.cars.id
  resource_id             = aws_api_gateway_resource.cars.id
  http_method             = aws_api_gateway_method.post.http_method
  type                    = "AWS"
  integration_http_method = "POST"
  uri                     = "arn:aws:apigateway:us-east-1:dynamodb:action/PutItem"
  credentials             = aws_iam_role.gateway.arn
  passthrough_behavior    = "NEVER"
  timeout_milliseconds    = var.changed ? 5000 : 29000
  request_templates       = var.changed ? { "application/json" = "{\"a\": 1}", "text/plain" = "" } : { "application/json" = "{}" }
  request_parameters      = { "integration.request.header.A" = "method.request.header.A" }
  cache_key_parameters    = var.changed ? [] : ["method.request.querystring.q"]
}

resource "aws_api_gateway_integration_response" "post" {
  depends_on          = [aws_api_gateway_integration.post]
  rest_api_id         = aws_api_gateway_rest_api.cars.id
  resource_id         = aws_api_gateway_resource.cars.id
  http_method         = aws_api_gateway_method.post.http_method
  status_code         = aws_api_gateway_method_response.post.status_code
  selection_pattern   = var.changed ? "2.." : ""
  response_templates  = { "application/json" = var.changed ? "{}" : "" }
  response_parameters = { "method.response.header.Access-Control-Allow-Origin" = "'*'" }
}

resource "aws_api_gateway_integration" "get" {
  rest_api_id             = aws_api_gateway_rest_api.cars.id
  resource_id             = aws_api_gateway_resource.car.id
  http_method             = aws_api_gateway_method.get.http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = aws_lambda_function.cars.invoke_arn
}

resource "aws_api_gateway_deployment" "cars" {
  depends_on  = [aws_api_gateway_integration_response.post, aws_api_gateway_integration.get]
  rest_api_id = aws_api_gateway_rest_api.cars.id
  triggers    = { changed = var.changed }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "prod" {
  depends_on           = [aws_api_gateway_account.front_this] # no logs without its role
  rest_api_id          = aws_api_gateway_rest_api.cars.id
  deployment_id        = aws_api_gateway_deployment.cars.id
  stage_name           = "prod"
  description          = var.changed ? null : "d"
  variables            = var.changed ? { b = "2" } : { a = "1" }
  xray_tracing_enabled = var.changed
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format          = "$context.requestId"
  }
}

resource "aws_api_gateway_method_settings" "all" {
  rest_api_id = aws_api_gateway_rest_api.cars.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  method_path = "*/*"
  settings {
    throttling_burst_limit = var.changed ? 100 : 200
    throttling_rate_limit  = 100
    metrics_enabled        = true
  }
}

resource "aws_api_gateway_method_settings" "post" {
  rest_api_id = aws_api_gateway_rest_api.cars.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  method_path = "cars/POST"
  settings {
    logging_level = var.changed ? "OFF" : "INFO"
  }
}

output "id" { value = aws_api_gateway_rest_api.cars.id }
