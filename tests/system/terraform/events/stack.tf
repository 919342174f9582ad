# A stack, whose own template has a transform, a role, parameters and outputs.
resource "aws_cloudformation_stack" "jobs" {
  name         = "tf-jobs"
  parameters   = { Delay = var.changed ? 7 : 3 }
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
  on_failure   = "DELETE"
  tags         = { team = var.changed ? "blue" : "red" }
  policy_body = jsonencode({
    Statement = [{ Effect = "Allow", Action = "Update:*", Principal = "*", Resource = "*" }]
  })
  template_body = jsonencode({
    Transform  = "AWS::Serverless-2016-10-31"
    Parameters = { Delay = { Type = "Number" } }
    Resources = merge({
      Queue = { Type = "AWS::SQS::Queue", Properties = { DelaySeconds = { Ref = "Delay" } } }
      Role = { Type = "AWS::IAM::Role", Properties = { AssumeRolePolicyDocument = {
        Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
      } } }
    }, var.changed ? { Table = { Type = "AWS::Serverless::SimpleTable" } } : {})
    Outputs = { Queue = { Value = { Ref = "Queue" } } }
  })
}

data "aws_cloudformation_stack" "jobs" { name = aws_cloudformation_stack.jobs.name }

output "stack" {
  value = { queue = aws_cloudformation_stack.jobs.outputs.Queue, team = data.aws_cloudformation_stack.jobs.tags.team }
}
