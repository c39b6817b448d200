import { createBrowserRouter } from 'react-router';
import { Home } from '@/components/layout/home';
import { NotFound, PageFailure } from '@/components/layout/not-found';
import { Shell } from '@/components/layout/shell';
import { SectionSkeleton } from '@/components/ui/section';

export function createRouter() {
  return createBrowserRouter([
    {
      path: '/',
      element: <Shell />,
      errorElement: <PageFailure />,
      hydrateFallbackElement: <SectionSkeleton />,
      children: [
        { index: true, element: <Home /> },
        { path: 'signed-in', element: <Home /> },
        {
          path: 'projects/:projectId/settings/ai-training',
          errorElement: <PageFailure />,
          lazy: async () => ({
            Component: (await import('@/features/project/routes/project-page')).ProjectPage,
          }),
        },
        {
          path: 'organizations/:orgId/settings/ai-training',
          errorElement: <PageFailure />,
          lazy: async () => ({
            Component: (await import('@/features/organization/routes/organization-page')).OrganizationPage,
          }),
        },
        { path: '*', element: <NotFound /> },
      ],
    },
  ]);
}
