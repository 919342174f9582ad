# A pipeline of schedules: every minute a function asks an API, every day another makes facts of what came, as
# people write it for AWS, with an unmodified provider.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "package" { type = string }
variable "layers" { default = [] } # shared by both functions
variable "changed" { default = false }

locals {
  functions = {
    collect   = { rate = "rate(1 minutes)", actions = ["dynamodb:PutItem"] }
    summarise = { rate = "cron(0 12 * * ? *)", actions = ["dynamodb:Query", "dynamodb:GetItem"] }
  }
}

resource "aws_dynamodb_table" "raw" {
  name         = "tf-quotes-raw"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "ingested_date"
  range_key    = "ingested_at"
  attribute {
    name = "ingested_date"
    type = "S"
  }
  attribute {
    name = "ingested_at"
    type = "S"
  }
  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"
  ttl {
    attribute_name = "until"
    enabled        = true
  }
  point_in_time_recovery { enabled = true }
}

resource "aws_cloudwatch_log_group" "functions" {
  for_each          = local.functions
  name              = "/aws/lambda/tf-quotes-${each.key}"
  retention_in_days = var.changed ? 14 : 7
}

resource "aws_cloudwatch_log_group" "statistics" {
  name              = "/tf-quotes/statistics"
  retention_in_days = 30
}

resource "aws_iam_role" "functions" {
  for_each = local.functions
  name     = "tf-quotes-${each.key}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_iam_policy" "functions" {
  for_each = local.functions
  name     = "tf-quotes-${each.key}"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = each.value.actions, Resource = aws_dynamodb_table.raw.arn },
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.functions[each.key].arn}:*", "${aws_cloudwatch_log_group.statistics.arn}:*"]
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "functions" {
  for_each   = local.functions
  role       = aws_iam_role.functions[each.key].name
  policy_arn = aws_iam_policy.functions[each.key].arn
}

resource "aws_lambda_function" "functions" {
  for_each         = local.functions
  function_name    = "tf-quotes-${each.key}"
  role             = aws_iam_role.functions[each.key].arn
  runtime          = "python3.11"
  handler          = "index.handler"
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  layers           = var.layers
  timeout          = var.changed ? 30 : 20
  environment { variables = { TABLE = aws_dynamodb_table.raw.name } }
  depends_on = [aws_cloudwatch_log_group.functions]
}

resource "aws_iam_role" "scheduler" {
  name = "tf-quotes-scheduler"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "scheduler.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "scheduler" {
  name = "invoke"
  role = aws_iam_role.scheduler.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "lambda:InvokeFunction", Resource = [for f in aws_lambda_function.functions : f.arn] }]
  })
}

resource "aws_scheduler_schedule_group" "quotes" { name = "tf-quotes" }

resource "aws_scheduler_schedule" "functions" {
  for_each                     = local.functions
  name                         = "tf-quotes-${each.key}"
  group_name                   = aws_scheduler_schedule_group.quotes.name
  schedule_expression          = each.value.rate
  schedule_expression_timezone = var.changed ? "Australia/Lord_Howe" : "UTC"
  state                        = each.key == "collect" && var.changed ? "DISABLED" : "ENABLED"
  flexible_time_window { mode = "OFF" }
  target {
    arn      = aws_lambda_function.functions[each.key].arn
    role_arn = aws_iam_role.scheduler.arn
    input    = jsonencode({ what = each.key })
    retry_policy {
      maximum_event_age_in_seconds = 120
      maximum_retry_attempts       = 2
    }
  }
}
