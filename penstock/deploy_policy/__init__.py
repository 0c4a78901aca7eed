"""What CloudFormation's execution role needs to deploy a project: templates → statements → managed policies.

`cdk bootstrap` makes that role, and gives it AdministratorAccess unless it is told which policies to use instead. Here
they are worked out from the templates of a deploy: `types` says which actions each resource type needs and on what,
`scope` what the templates name, `statements` puts the two together, and `documents` packs them into managed policies.
Pure: nothing here calls AWS or reads a file.
"""
