interface ProblemContent {
  type: string;
  title: string;
  detail?: string;
  status?: number;
  traceId?: string;
  errors?: Record<string, string[]>;
  version?: number;
}

/** A refusal of the API (RFC 9457), or the lack of any answer. */
export class ApiProblem extends Error {
  readonly type: string;
  readonly title: string;
  readonly detail: string | undefined;
  readonly status: number | undefined;
  readonly traceId: string | undefined;

  /** Messages by the name of the field that they are about. */
  readonly errors: Record<string, string[]>;

  constructor(content: ProblemContent) {
    super(content.detail ?? content.title);
    this.type = content.type;
    this.title = content.title;
    this.detail = content.detail;
    this.status = content.status;
    this.traceId = content.traceId;
    this.errors = content.errors ?? {};
  }

  /** @param name What stands after `urn:feedback-loop:`. */
  is(name: string): boolean {
    return this.type === `urn:feedback-loop:${name}`;
  }

  /** Whether what was asked for must not stay on the screen. */
  get isHidden(): boolean {
    return this.status === 401 || this.status === 403 || this.status === 404;
  }

  /** Whether the same request may succeed later. */
  get isPassing(): boolean {
    return this.status === undefined || this.status >= 500 || this.status === 429;
  }
}

/** @param body As it was sent; anything that is no problem becomes one by its status. */
export function readProblem(status: number, body: unknown): ApiProblem {
  if (isRecord(body) && typeof body.title === 'string') {
    return new ApiProblem({
      type: typeof body.type === 'string' ? body.type : 'unknown',
      title: body.title,
      detail: text(body.detail),
      traceId: text(body.traceId),
      errors: readErrors(body.errors),
      status,
    });
  }

  return new ApiProblem({
    type: 'unknown',
    title: 'The server answered something else',
    detail: `It answered with status ${status} and without a reason.`,
    status,
  });
}

function readErrors(value: unknown): Record<string, string[]> {
  return isRecord(value)
    ? Object.fromEntries(
        Object.entries(value).map(([field, messages]) => [
          field,
          Array.isArray(messages) ? messages.filter((each): each is string => typeof each === 'string') : [],
        ]),
      )
    : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
