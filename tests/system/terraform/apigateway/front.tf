# What stands around REST APIs (apis.tf), and an API from a description.
variable "rate" { default = 10 }
variable "greeting" { default = "hello" }

# --- errors ---------------------------------------------------------------------------------------

resource "aws_api_gateway_gateway_response" "front_unauthorized" {
  rest_api_id         = aws_api_gateway_rest_api.cars.id
  response_type       = "UNAUTHORIZED"
  status_code         = "401"
  response_parameters = { "gatewayresponse.header.WWW-Authenticate" = "'Bearer'" }
  response_templates  = { "application/json" = "{\"message\":$context.error.messageString}" }
}

# --- logs -----------------------------------------------------------------------------------------

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
    api_id = aws_api_gateway_rest_api.front_described.id
    stage  = aws_api_gateway_stage.front_described.stage_name
    throttle {
      path        = "/hello/GET"
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
  api_id      = aws_api_gateway_rest_api.cars.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
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

output "described" { value = aws_api_gateway_rest_api.front_described.id }
output "key" {
  value     = aws_api_gateway_api_key.front_client.value
  sensitive = true
}
