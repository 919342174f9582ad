# The resource shapes of an order pipeline as people write it for AWS, with an unmodified provider:
# nothing here knows of Weir but the endpoints, which come from AWS_ENDPOINT_URL.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "package" { type = string }
variable "layer" { type = string }
variable "memory" { default = 128 }
variable "delay" { default = 0 }

resource "aws_s3_bucket" "incoming" {
  bucket        = "tf-orders-incoming"
  force_destroy = true
}

resource "aws_dynamodb_table" "orders" {
  name           = "tf-orders"
  billing_mode   = "PROVISIONED"
  read_capacity  = 5
  write_capacity = 5
  hash_key       = "pk"
  range_key      = "sk"
  attribute {
    name = "pk"
    type = "S"
  }
  attribute {
    name = "sk"
    type = "S"
  }
  tags = { team = "orders" }
}

resource "aws_dynamodb_table_item" "settings" {
  table_name = aws_dynamodb_table.orders.name
  hash_key   = aws_dynamodb_table.orders.hash_key
  range_key  = aws_dynamodb_table.orders.range_key
  item = jsonencode({
    pk     = { S = "settings" }
    sk     = { S = "function" }
    memory = { N = tostring(var.memory) }
    tags   = { SS = ["a", "b"] }
    nested = { M = { list = { L = [{ BOOL = true }, { NULL = true }] } } }
  })
}

resource "aws_sqs_queue" "dead" {
  name = "tf-orders-dead"
}

resource "aws_sqs_queue" "summaries" {
  name                       = "tf-orders-summaries"
  delay_seconds              = var.delay
  visibility_timeout_seconds = 60
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = 5 })
}

resource "aws_iam_role" "function" {
  name = "tf-orders-function"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "table" {
  name = "table"
  role = aws_iam_role.function.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:Scan"], Resource = aws_dynamodb_table.orders.arn }]
  })
}

resource "aws_iam_policy" "queue" {
  name        = "tf-orders-queue"
  description = "Send summaries"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = aws_sqs_queue.summaries.arn }]
  })
}

resource "aws_iam_role_policy_attachment" "queue" {
  role       = aws_iam_role.function.name
  policy_arn = aws_iam_policy.queue.arn
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.function.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_iam_role_policy_attachment" "bucket" {
  role       = aws_iam_role.function.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
}

resource "aws_lambda_layer_version" "names" {
  layer_name               = "tf-names"
  filename                 = var.layer
  source_code_hash         = filebase64sha256(var.layer)
  description              = "How a record's key is told"
  license_info             = "MIT"
  compatible_runtimes      = ["python3.11", "python3.12"]
  compatible_architectures = ["x86_64"]
}

resource "aws_lambda_layer_version_permission" "names" {
  layer_name     = aws_lambda_layer_version.names.layer_name
  version_number = aws_lambda_layer_version.names.version
  statement_id   = "Everybody"
  action         = "lambda:GetLayerVersion"
  principal      = "*"
}

resource "aws_lambda_function" "orders" {
  function_name    = "tf-orders"
  role             = aws_iam_role.function.arn
  runtime          = "python3.11"
  handler          = "index.handler"
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  memory_size      = var.memory
  timeout          = 10
  publish          = true
  layers           = [aws_lambda_layer_version.names.arn]
  environment { variables = { QUEUE_URL = aws_sqs_queue.summaries.url, TABLE = aws_dynamodb_table.orders.name } }
}

resource "aws_lambda_permission" "bucket" {
  statement_id  = "AllowBucket"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.orders.function_name
  principal     = "s3.amazonaws.com"
  source_arn    = aws_s3_bucket.incoming.arn
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.orders.function_name
  function_version = aws_lambda_function.orders.version
}

resource "aws_lambda_permission" "alias" {
  statement_id  = "AllowTopics"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.orders.function_name
  qualifier     = aws_lambda_alias.live.name
  principal     = "sns.amazonaws.com"
}

resource "aws_lambda_function_event_invoke_config" "live" {
  function_name                = aws_lambda_function.orders.function_name
  qualifier                    = aws_lambda_alias.live.name
  maximum_retry_attempts       = 1
  maximum_event_age_in_seconds = 600
  destination_config {
    on_failure { destination = aws_sqs_queue.dead.arn }
  }
  depends_on = [aws_iam_role_policy.letters]
}

resource "aws_s3_bucket_request_payment_configuration" "incoming" {
  bucket = aws_s3_bucket.incoming.id
  payer  = "Requester"
}

resource "aws_s3_bucket_notification" "csv" {
  bucket = aws_s3_bucket.incoming.id
  lambda_function {
    lambda_function_arn = aws_lambda_function.orders.arn
    events              = ["s3:ObjectCreated:*"]
    filter_suffix       = ".csv"
  }
  depends_on = [aws_lambda_permission.bucket]
}

resource "aws_iam_role_policy" "letters" {
  name = "letters"
  role = aws_iam_role.function.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sqs:*", Resource = aws_sqs_queue.dead.arn }]
  })
}

# The provider lists the tags of each mapping.
resource "aws_lambda_event_source_mapping" "letters" {
  event_source_arn = aws_sqs_queue.dead.arn
  function_name    = aws_lambda_function.orders.arn
  tags             = { team = "orders" }
  depends_on       = [aws_iam_role_policy.letters]
}

output "queue_url" { value = aws_sqs_queue.summaries.url }
